import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { expect, it, onTestFinished } from 'vitest'
import type { SharedFile } from '@covey/files'
import { connect, startPeer, useLocalNetwork } from './support.js'

const local = useLocalNetwork()
const CHROMIUM = '/usr/bin/chromium'
const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** What is used of the page's element. */
interface Player {
  currentTime: number
  readonly duration: number
  play(): Promise<void>
  addEventListener(event: string, listener: (event: unknown) => void, options: { once: true }): void
}

const SECONDS = 1_200
const SAMPLES_A_SECOND = 44_100

it('a browser plays a file that is not here yet, and seeks in it', async ({ skip }) => {
  if (!existsSync(CHROMIUM)) skip(`${CHROMIUM} is not installed here`)
  const file = await shareTone()
  const page = await openPage()
  await page.setContent(`<audio muted src="${await file.url()}"></audio>`)
  const audio = page.locator('audio')

  const duration = await audio.evaluate(async (element: Player) => {
    await element.play()
    if (element.currentTime === 0) await new Promise((resolve) => element.addEventListener('timeupdate', resolve, { once: true }))
    return element.duration
  })
  expect(duration).toBe(SECONDS)

  const [sought, played] = await audio.evaluate(async (element: Player) => {
    const happens = (name: string) => new Promise((resolve) => element.addEventListener(name, resolve, { once: true }))
    const seeked = happens('seeked')
    element.currentTime = 1_000
    await seeked
    const at = element.currentTime
    while (element.currentTime <= at) await happens('timeupdate')
    return [at, element.currentTime] as const
  })
  // It goes on playing when it has arrived there.
  expect(sought).toBeCloseTo(1_000, 0)
  expect(played).toBeGreaterThan(sought)
  expect(played).toBeLessThan(1_010)
  const { receivedBytes, totalBytes } = await file.progress()
  expect(receivedBytes).toBeLessThan(totalBytes! / 2)
})

it('a page from elsewhere reads nothing of a file, and what is no film or picture is not shown', async ({ skip }) => {
  if (!existsSync(CHROMIUM)) skip(`${CHROMIUM} is not installed here`)
  const alice = await startPeer(local)
  const html = await alice.files.share(new TextEncoder().encode('<script>document.title = "ran"</script>'), { type: 'text/html' })
  const url = await html.url()
  const page = await openPage()
  // It is there, for who may read it.
  expect((await fetch(url)).status).toBe(200)
  const reading = page.evaluate((address) => fetch(address).then((response) => response.text()), url)
  await expect(reading).rejects.toThrow(/Failed to fetch/)

  const downloading = page.waitForEvent('download')
  await expect(page.goto(url)).rejects.toThrow(/Download is starting/)
  expect((await downloading).url()).toBe(url)
  expect(await page.title()).toBe('')
})

/** A page of an app: of this machine as well, and of another origin than the file. */
async function openPage(): Promise<Page> {
  const server = createServer((_, response) => void response.setHeader('content-type', 'text/html').end('<!doctype html>'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS })
  onTestFinished(() => browser.close())
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${(server.address() as { port: number }).port}/`)
  return page
}

/** Five minutes of a tone, which one peer shares, as another sees it. */
async function shareTone(): Promise<SharedFile> {
  const [alice, bob] = [await startPeer(local), await startPeer(local)]
  await connect(bob, alice)
  const path = join(alice.desk, 'tone.wav')
  await writeFile(path, wave())
  return bob.files.open((await alice.files.share(path, { type: 'audio/wav' })).content)
}

/** Uncompressed sound: one channel of 16 bits, 106 MB: far more than a browser reads ahead. */
function wave(): Buffer {
  const bytes = SECONDS * SAMPLES_A_SECOND * 2
  const file = Buffer.alloc(44 + bytes)
  file.write('RIFF', 0)
  file.writeUInt32LE(36 + bytes, 4)
  file.write('WAVEfmt ', 8)
  file.writeUInt32LE(16, 16)
  file.writeUInt16LE(1, 20)
  file.writeUInt16LE(1, 22)
  file.writeUInt32LE(SAMPLES_A_SECOND, 24)
  file.writeUInt32LE(SAMPLES_A_SECOND * 2, 28)
  file.writeUInt16LE(2, 32)
  file.writeUInt16LE(16, 34)
  file.write('data', 36)
  file.writeUInt32LE(bytes, 40)
  const samples = new Int16Array(file.buffer, file.byteOffset + 44, bytes / 2)
  for (let index = 0; index < samples.length; index++) samples[index] = 8_000 * Math.sin((index * 2 * Math.PI * 440) / SAMPLES_A_SECOND)
  return file
}
