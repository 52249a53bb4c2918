import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { messagesOf, start, temporaryFolder, useLocalNetwork } from './support.js'

const SENDER = fileURLToPath(new URL('send-until-full.ts', import.meta.url))
/** The database alone takes 75 MB at once, and needs room for what it had in its log when it opens again. */
const DISK_MB = 160
const net = useLocalNetwork()
vi.setConfig({ testTimeout: 180_000 })

interface Told {
  readonly event: 'sent' | 'refused' | 'error' | 'message' | 'opened' | 'joined' | 'closed'
  readonly id?: string
  readonly text?: string
  readonly code?: string
}

/** A disk of its own; skips the test where there can be none. */
async function smallDisk(skip: (note: string) => void): Promise<string> {
  const disk = await temporaryFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'covey-disk-full', disk], { stdio: 'pipe' })
  } catch (error) {
    const note = `Skipped: no small disk can be mounted here. ${(error as Error).message.trim()}`
    // The reporter does not show it.
    console.log(note)
    skip(note)
  }
  onTestFinished(() => void execFileSync('umount', ['-l', disk]))
  return disk
}

/** What a process on that disk told, which has to end by itself and well. */
async function run(mode: string, disk: string, awaited?: string, ontold?: (told: Told) => void): Promise<Told[]> {
  const args = [SENDER, mode, disk, JSON.stringify(net.network), ...(awaited === undefined ? [] : [awaited])]
  const child = spawn(process.execPath, ['--import', 'tsx', '-C', '@covey/source', ...args], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  const told: Told[] = []
  for await (const line of createInterface(child.stdout)) {
    told.push(JSON.parse(line) as Told)
    ontold?.(told.at(-1)!)
  }
  expect(await exited).toEqual([0, null])
  return told
}

function codesOf(told: readonly Told[]): string[] {
  return [...new Set(told.flatMap(({ code }) => code ?? []))]
}

function textsOf(told: readonly Told[], event: Told['event']): string[] {
  return told.filter((one) => one.event === event).map(({ id, text }) => `${id} ${text}`)
}

test('a disk that fills while messages are sent refuses with a clear error, and keeps what was acknowledged', async ({ skip }) => {
  const disk = await smallDisk(skip)
  await run('create', disk)
  const told = await run('send-until-full', disk)
  const sent = textsOf(told, 'sent')
  expect(sent.length).toBeGreaterThan(50)
  expect(told.some(({ event }) => event === 'refused')).toBe(true)
  expect(codesOf(told)).toEqual(['ROOM_STORAGE_FAILED'])
  expect(told.at(-1)).toEqual({ event: 'closed' })

  // Still full: it opens, or says why not; what it holds is left as it is.
  const onFull = await run('open-on-full', disk)
  for (const code of codesOf(onFull)) expect(code).toMatch(/^(STORAGE_|ROOM_STORAGE_FAILED|IDENTITY_STORE_FAILED)/)

  await rm(join(disk, 'ballast'))
  const after = await run('read', disk)
  const found = textsOf(after, 'message')
  expect(new Set(found).size).toBe(found.length)
  expect(sent.filter((one) => !found.includes(one))).toEqual([])
  expect(textsOf(after, 'sent')).toHaveLength(1)
  expect(after.at(-1)).toEqual({ event: 'closed' })
})

test('a disk that fills while messages arrive ends the room with a clear error, and it goes on where it was', async ({ skip }) => {
  const disk = await smallDisk(skip)
  const alice = await start(net)
  const room = await alice.rooms.create({ name: 'Tea' })
  let isOver = false
  let sending: Promise<void> | undefined
  const told = await run('receive-until-full', disk, await room.createInvite(), ({ event }) => {
    if (event === 'joined') sending = sendOn()
  })
  isOver = true
  await sending
  expect(codesOf(told)).toEqual(['ROOM_STORAGE_FAILED'])
  expect(told.at(-1)).toEqual({ event: 'closed' })

  await rm(join(disk, 'ballast'))
  const sent = await messagesOf(room)
  const after = await run('read', disk, sent.at(-1)!.id)
  expect(textsOf(after, 'message')).toEqual(sent.map(({ id, text }) => `${id} ${text.slice(0, 20)}`))
  expect(after.at(-1)).toEqual({ event: 'closed' })

  async function sendOn(): Promise<void> {
    while (!isOver) {
      await Promise.all([0, 1, 2, 3].map((n) => room.send(`${n} `.padEnd(50_000, 'x'))))
      // No faster than the log takes it: in the end all of it has to find room.
      await messagesOf(room, { limit: 1 })
    }
  }
})

test('a first start on a full disk is refused, and succeeds when there is room', async ({ skip }) => {
  const disk = await smallDisk(skip)
  expect(await run('start-on-full', disk)).toEqual([{ event: 'refused', code: 'STORAGE_UNWRITABLE' }, { event: 'opened' }])
  const after = await run('read', disk)
  expect(textsOf(after, 'message').map((text) => text.split(' ')[1])).toEqual(['first'])
})
