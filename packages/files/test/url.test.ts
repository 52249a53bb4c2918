import { get, request, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BLOCK_BYTES, type FileProgress, type SharedFile } from '@covey/files'
import { codeOf, collect, connect, digest, startPeer, until, useLocalNetwork, writeRandom } from './support.js'

const local = useLocalNetwork()
const SIZE = 5 * BLOCK_BYTES + 1_000
/** Requests that one machine may make at a time: `MAX_REQUESTS` of the server. */
const REQUESTS = 32

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array
}

describe('the URL of a file', () => {
  it('gives the whole file, with its length and type', async () => {
    const { file, bytes } = await shareWith(SIZE, 'video/mp4; codecs="avc1"')
    const url = await file.url()
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[a-z0-9]{52}$/)
    expect(await file.url()).toBe(url)
    const { status, headers, body } = await ask(url)
    expect(status).toBe(200)
    expect(headers).toMatchObject({ 'content-type': 'video/mp4', 'content-length': `${SIZE}`, 'accept-ranges': 'bytes' })
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['content-security-policy']).toBe('sandbox')
    expect(headers).not.toHaveProperty('access-control-allow-origin')
    expect(digest(body)).toBe(digest(bytes))
  })

  it('gives single ranges, and says so', async () => {
    const { file, bytes } = await shareWith(SIZE)
    const url = await file.url()
    const ranges = [
      ['bytes=0-', 0, SIZE],
      ['bytes=0-0', 0, 1],
      [`bytes=${BLOCK_BYTES - 1}-${BLOCK_BYTES}`, BLOCK_BYTES - 1, BLOCK_BYTES + 1],
      [`bytes=${SIZE - 1}-999999999`, SIZE - 1, SIZE],
      ['bytes=-10', SIZE - 10, SIZE],
      ['BYTES=-999999999', 0, SIZE]
    ] as const
    for (const [range, start, end] of ranges) {
      const { status, headers, body } = await ask(url, { headers: { range } })
      expect([range, status, headers['content-range']]).toEqual([range, 206, `bytes ${start}-${end - 1}/${SIZE}`])
      expect(headers['content-length']).toBe(`${end - start}`)
      expect(digest(body)).toBe(digest(bytes.subarray(start, end)))
    }
    for (const range of [`bytes=${SIZE}-`, 'bytes=-0', `bytes=${'9'.repeat(400)}-`]) {
      const { status, headers, body } = await ask(url, { headers: { range } })
      expect([range, status, headers['content-range'], body.length]).toEqual([range, 416, `bytes */${SIZE}`, 0])
    }
    for (const range of ['bytes=5-2', 'bytes=0-1,3-4', 'bytes=-', 'bytes=a-b', 'bytes=0x1-', 'bytes=1.5-', 'lines=0-1', 'bytes 0-1']) {
      const { status, body } = await ask(url, { headers: { range } })
      expect([range, status, body.length]).toEqual([range, 200, SIZE])
    }
  })

  it('gives the head alone, to which no range applies', async () => {
    const { file } = await shareWith(SIZE)
    const { status, headers, body } = await ask(await file.url(), { method: 'HEAD', headers: { range: 'bytes=0-1' } })
    expect([status, headers['content-length'], body.length]).toEqual([200, `${SIZE}`, 0])
    expect((await file.progress()).receivedBytes).toBe(0)
  })

  it('goes on with a range of this file, and begins anew for one of another', async () => {
    const { file } = await shareWith(SIZE)
    const url = await file.url()
    const { headers } = await ask(url, { method: 'HEAD' })
    const range = 'bytes=0-9'
    expect((await ask(url, { headers: { range, 'if-range': headers.etag! } })).status).toBe(206)
    expect((await ask(url, { headers: { range, 'if-range': '"other"' } })).status).toBe(200)
    expect((await ask(url, { headers: { range, 'if-range': 'Wed, 21 Oct 2015 07:28:00 GMT' } })).status).toBe(200)
  })

  it('is of an empty file too', async () => {
    const { file } = await shareWith(0)
    const url = await file.url()
    expect(await ask(url)).toMatchObject({ status: 200, headers: { 'content-length': '0' } })
    expect(await ask(url, { headers: { range: 'bytes=0-' } })).toMatchObject({ status: 416, headers: { 'content-range': 'bytes */0' } })
  })

  it('fetches what is asked for, and little more', async () => {
    const { file, bytes } = await shareWith(100 * BLOCK_BYTES)
    const start = 80 * BLOCK_BYTES + 5
    const { body } = await ask(await file.url(), { headers: { range: `bytes=${start}-${start + BLOCK_BYTES}` } })
    expect(digest(body)).toBe(digest(bytes.subarray(start, start + BLOCK_BYTES + 1)))
    expect((await file.progress()).receivedBytes).toBeLessThanOrEqual(3 * BLOCK_BYTES)
  })

  it('gives a file whose size is not known yet as it comes, without ranges', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    await connect(bob, alice)
    const { source, resume } = gated(new Uint8Array(BLOCK_BYTES).fill(1), new Uint8Array(100).fill(2))
    const shared = await alice.files.share(source)
    const url = await bob.files.open(shared.content).url()
    const response = await open(url, { headers: { range: 'bytes=0-1' } })
    expect(response.statusCode).toBe(200)
    expect(response.headers).toMatchObject({ 'transfer-encoding': 'chunked', 'accept-ranges': 'none' })
    expect(response.headers).not.toHaveProperty('content-length')
    resume()
    expect((await collect(response)).length).toBe(BLOCK_BYTES + 100)
    // Now it is.
    expect(await ask(url, { headers: { range: 'bytes=-1' } })).toMatchObject({ status: 206, body: Uint8Array.of(2) })
  })
})

describe('a reader of the URL', () => {
  it('that takes nothing more has nothing more fetched', async () => {
    const { file } = await shareWith(160 * BLOCK_BYTES)
    const response = await open(await file.url())
    const { receivedBytes } = await stalled(file)
    expect(receivedBytes).toBeGreaterThan(0)
    // 4 MiB ahead, and what the system buffers for a connection.
    expect(receivedBytes).toBeLessThan(100 * BLOCK_BYTES)
    response.destroy()
    expect(await until(file, ({ state }) => state === 'idle')).toMatchObject({ holders: 1 })
  })

  it('that leaves while it waits for what nobody has, asks no more', async () => {
    const bob = await startPeer(local)
    const file = bob.files.open(await offerOfNobody())
    const response = await open(await file.url(), { headers: { range: 'bytes=7-' } })
    expect(response.statusCode).toBe(206)
    await until(file, ({ state }) => state === 'waiting')
    response.destroy()
    await until(file, ({ state }) => state === 'idle')
  })

  it('is cut off when the file turns out broken, and its owner is told', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    await connect(bob, alice)
    const { source, resume } = gated(new Uint8Array(BLOCK_BYTES))
    const shared = await alice.files.share(source)
    const broken = shared.once('error')
    const file = bob.files.open(shared.content)
    const failed = file.once('error')
    const response = await open(await file.url())
    resume(new Error('the camera broke'))
    await broken
    expect(await codeOf(() => collect(response))).toBe('ECONNRESET')
    expect((await failed).code).toBe('FILE_CHANGED')
  })
})

describe('the server of URLs', () => {
  it('serves nothing that could run in a browser as what it says it is', async () => {
    const alice = await startPeer(local)
    const served = async (type: string): Promise<string | undefined> => {
      const file = await alice.files.share(new Uint8Array(1), { type })
      return (await ask(await file.url(), { method: 'HEAD' })).headers['content-type']
    }
    for (const type of ['audio/mpeg', 'video/webm', 'image/png', 'application/pdf']) expect(await served(type)).toBe(type)
    expect(await served('Image/JPEG')).toBe('image/jpeg')
    const unsound = ['', 'text/html', 'text/plain', 'image/svg+xml', 'image/SVG+XML; charset=utf-8', 'image/x+xml', 'video/xml', 'application/xhtml+xml', 'application/javascript', 'text/css', 'multipart/x-mixed-replace']
    for (const type of unsound) expect([type, await served(type)]).toEqual([type, 'application/octet-stream'])
  })

  it('answers nothing but GET and HEAD of what it has given out, by its own name', async () => {
    const { file } = await shareWith(100)
    const url = new URL(await file.url())
    const other = url.pathname.at(-1) === 'y' ? 'b' : 'y'
    const paths = ['/', '', '//', `${url.pathname}/`, `${url.pathname}?a`, url.pathname.slice(0, -1), url.pathname.slice(0, -1) + other, `/..${url.pathname}`, `${url.pathname}%00`, `/${'y'.repeat(4_000)}`, url.href]
    for (const path of paths) expect([path, (await ask(url.href, { path })).status]).toEqual([path, 404])
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH']) {
      const { status, headers } = await ask(url.href, { method, headers: { origin: 'https://evil.example', 'access-control-request-method': 'GET' } })
      expect([method, status, headers.allow]).toEqual([method, 405, 'GET, HEAD'])
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
    for (const host of ['evil.example', `evil.example:${url.port}`, '127.0.0.1', `localhost:${url.port}`, `${url.host}.evil.example`, `a@${url.host}`]) {
      expect([host, (await ask(url.href, { headers: { host } })).status]).toEqual([host, 421])
    }
    expect((await ask(url.href)).status).toBe(200)
  })

  it('ends a connection that speaks no HTTP, or too much of it', async () => {
    const { file } = await shareWith(100)
    const url = new URL(await file.url())
    const hosted = `GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\n`
    expect(await say(url, `${hosted}X: ${'x'.repeat(9_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /)
    expect(await say(url, `GET /${'x'.repeat(9_000)} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /)
    expect(await say(url, `GET ${url.pathname} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1.1 400 /)
    expect(await say(url, `GET ${url.pathname} HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 421 /)
    expect(await say(url, '\x16\x03\x01\0\0\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
    expect(await say(url, `GET ${url.pathname} HTTP/1.0\r\n\r\n`)).toMatch(/^HTTP\/1.1 421 /)
    expect(await say(url, `${hosted}Connection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 200 /)
  })

  it('is reached by the loopback address alone', async () => {
    const { file } = await shareWith(100)
    const { port } = new URL(await file.url())
    const others = Object.values(networkInterfaces()).flatMap((addresses) => addresses!.map(({ address }) => address))
    const elsewhere = ['127.0.0.2', ...others.filter((address) => address !== '127.0.0.1' && !address.startsWith('fe80'))]
    for (const host of elsewhere) expect([host, await codeOf(() => say({ hostname: host, port }, '\r\n'))]).toEqual([host, 'ECONNREFUSED'])
  })

  it('answers so many at a time, and more when they have left', async () => {
    const bob = await startPeer(local)
    const file = bob.files.open(await offerOfNobody())
    const url = await file.url()
    const responses = await Promise.all(Array.from({ length: REQUESTS }, () => open(url)))
    expect(await ask(url)).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    // What costs nothing is still answered.
    expect((await ask(url, { method: 'HEAD' })).status).toBe(200)
    for (const response of responses) response.destroy()
    await until(file, ({ state }) => state === 'idle')
    expect((await open(url)).statusCode).toBe(200)
  })

  it('knows a file no more that was forgotten, and ends what was being sent of it', async () => {
    const bob = await startPeer(local)
    const content = await offerOfNobody()
    const file = bob.files.open(content)
    file.on('error', (error) => expect.unreachable(error.message))
    const url = await file.url()
    const response = await open(url)
    await Promise.all([file.forget(), expect(collect(response)).rejects.toMatchObject({ code: 'ECONNRESET' })])
    expect((await ask(url)).status).toBe(404)
    expect(await codeOf(() => file.url())).toBe('FILE_FORGOTTEN')
    const again = await bob.files.open(content).url()
    expect(again).not.toBe(url)
    expect((await ask(again, { method: 'HEAD' })).status).toBe(200)
  })

  it('ends with the files', async () => {
    const bob = await startPeer(local)
    const file = bob.files.open(await offerOfNobody())
    file.on('error', (error) => expect.unreachable(error.message))
    const url = await file.url()
    const response = await open(url)
    const [late] = await Promise.all([codeOf(() => bob.files.close().then(() => file.url())), expect(collect(response)).rejects.toMatchObject({ code: 'ECONNRESET' })])
    expect(late).toBe('FILES_CLOSED')
    expect(await codeOf(() => ask(url))).toBe('ECONNREFUSED')
  })

  it('that has not started yet ends with the files as well', async () => {
    const bob = await startPeer(local)
    const file = bob.files.open(await offerOfNobody())
    const code = codeOf(() => file.url())
    await bob.files.close()
    expect(await code).toBe('FILES_CLOSED')
  })
})

/** A file of random bytes that one peer shares, as another sees it. */
async function shareWith(size: number, type = ''): Promise<{ file: SharedFile; bytes: Uint8Array }> {
  const [alice, bob] = [await startPeer(local), await startPeer(local)]
  await connect(bob, alice)
  const { path, bytes } = await writeRandom(alice, 'film', size)
  return { file: bob.files.open((await alice.files.share(path, { type })).content), bytes }
}

/** Of a file that whoever opens it is not connected to anybody of. */
async function offerOfNobody(): Promise<SharedFile['content']> {
  const alice = await startPeer(local)
  const { path } = await writeRandom(alice, 'film', SIZE)
  return (await alice.files.share(path)).content
}

/** The first part, and the rest when it is resumed, unless that is with an error. */
function gated(first: Uint8Array, ...rest: Uint8Array[]): { source: AsyncIterable<Uint8Array>; resume: (error?: Error) => void } {
  let resume: ((error?: Error) => void) | undefined
  const resumed = new Promise<Error | undefined>((resolve) => (resume = resolve))
  async function* read(): AsyncGenerator<Uint8Array, void, void> {
    yield first
    const error = await resumed
    if (error !== undefined) throw error
    yield* rest
  }
  return { source: read(), resume: resume! }
}

/** The progress of a file of which nothing more has come for a second. */
async function stalled(file: SharedFile): Promise<FileProgress> {
  const seen: number[] = []
  return until(file, ({ receivedBytes }) => {
    seen.push(receivedBytes)
    return receivedBytes > 0 && seen.length > 4 && seen.slice(-5).every((bytes) => bytes === receivedBytes)
  })
}

/** The head of an answer, whose body is not read yet. */
async function open(url: string, options: RequestOptions = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asking = get(url, { agent: false, ...options }, resolve)
    asking.on('error', reject)
    onTestFinished(() => void asking.destroy())
  })
}

async function ask(url: string, options: RequestOptions = {}): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { agent: false, ...options }, resolve).on('error', reject).end()
  })
  return { status: response.statusCode!, headers: response.headers, body: await collect(response) }
}

/** What comes back until the connection ends. */
async function say({ hostname, port }: { hostname: string; port: string }, text: string): Promise<string> {
  const socket = connectTcp(Number(port), hostname)
  socket.write(text, 'latin1')
  return Buffer.from(await collect(socket)).toString('latin1')
}
