// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="./runtime.d.ts" />
import { createServer, type IncomingMessage, type Server, type ServerResponse } from '#http'
import { encodeUtf8, encodeZ32, equalBytes } from '@covey/core'
import { FileError } from '../errors.js'
import { randomBytes } from './crypto.js'
import { readRange, type Range } from './media-http.js'
import type { OpenFile } from './open-file.js'
import { streamFile } from './read-file.js'
import { Stop } from './stop.js'

/** Nobody but this machine reaches it. */
const HOST = '127.0.0.1'
const TOKEN_BYTES = 32
/** A browser opens six. Each has up to 4 MiB ahead of its reader, 128 MiB together. */
const MAX_REQUESTS = 32
/** Also those that ask for nothing yet. */
const MAX_CONNECTIONS = 128
const MAX_HEADER_BYTES = 8 * 1024
/** How long a request may take to be made; how long it takes to be answered is the reader's affair. */
const REQUEST_TIMEOUT_MS = 10_000

/** Runs nothing of a file, guesses no other type, and leaves neither the bytes nor the address behind. */
const HEADERS = {
  'content-security-policy': 'sandbox',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store'
}

interface Served {
  readonly file: OpenFile
  readonly type: string
  readonly path: string
}

/** Why a request is over that its reader has left. */
const LEFT = new Error('The reader has left.')

/** Gives files to players on this machine, over HTTP. */
export class MediaServer {
  readonly #onerror: (error: FileError) => void
  /** By file and type. */
  readonly #served = new Map<string, Served>()
  /** Those that bytes are sent for; none of them fails. */
  readonly #requests = new Set<Promise<void>>()
  #listening: Promise<{ server: Server; host: string }> | undefined
  #closed: FileError | undefined

  constructor(onerror: (error: FileError) => void) {
    this.#onerror = onerror
  }

  /** The address of a file. */
  async serve(file: OpenFile, type: string): Promise<string> {
    this.#assertOpen(file)
    this.#listening ??= this.#listen()
    const { host } = await this.#listening
    this.#assertOpen(file)
    const id = `${file.id} ${type}`
    const served = this.#served.get(id) ?? { file, type, path: `/${encodeZ32(randomBytes(TOKEN_BYTES))}` }
    this.#served.set(id, served)
    return `http://${host}${served.path}`
  }

  /** What is being sent ends with the file. */
  forget(fileId: string): void {
    for (const [id, { file }] of this.#served) if (file.id === fileId) this.#served.delete(id)
  }

  /** For good. Ends what is being sent. */
  async close(error: FileError): Promise<void> {
    this.#closed ??= error
    // Who waits for one that could not listen is told.
    const listening = await this.#listening?.catch(() => undefined)
    if (listening === undefined) return
    await new Promise<void>((resolve) => {
      listening.server.close(() => resolve())
      listening.server.closeAllConnections()
    })
    await Promise.all(this.#requests)
  }

  #assertOpen(file: OpenFile): void {
    const closed = this.#closed ?? file.core.closed
    if (closed !== undefined) throw closed
  }

  async #listen(): Promise<{ server: Server; host: string }> {
    const limits = { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: REQUEST_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS }
    let host = ''
    const server = createServer({ ...limits, connectionsCheckingInterval: REQUEST_TIMEOUT_MS / 2 }, (request, response) => this.#onrequest(host, request, response))
    server.maxConnections = MAX_CONNECTIONS
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, HOST, resolve)
      })
    } catch (cause) {
      // The next call tries again.
      this.#listening = undefined
      throw unavailable(cause)
    }
    // Of connections that cannot be taken, as when files run out: those that are there go on.
    server.on('error', (cause) => this.#onerror(unavailable(cause)))
    host = `${HOST}:${(server.address() as { port: number }).port}`
    return { server, host }
  }

  #onrequest(host: string, { method, url, headers }: IncomingMessage, response: ServerResponse): void {
    // A page from elsewhere, whose name was made to lead here, says that name.
    if (headers.host !== host) return refuse(response, 421)
    const served = this.#find(url ?? '')
    if (served === undefined) return refuse(response, 404)
    if (method !== 'GET' && method !== 'HEAD') return refuse(response, 405, { allow: 'GET, HEAD' })
    if (method === 'GET' && this.#requests.size >= MAX_REQUESTS) return refuse(response, 503, { 'retry-after': '1' })

    const { file } = served
    const { size } = file.core
    const tag = `"${file.id}"`
    // A range is for GET alone, and `If-Range` for a copy of this very file: its bytes never change.
    const isRanged = method === 'GET' && (headers['if-range'] ?? tag) === tag
    const range = isRanged && size !== undefined ? readRange(headers.range, size) : undefined
    if (range === null) return refuse(response, 416, { 'content-range': `bytes */${size}` })

    const whole = size === undefined ? undefined : { start: 0, end: size }
    response.writeHead(range === undefined ? 200 : 206, {
      ...HEADERS,
      'content-type': served.type,
      ...(whole === undefined ? { 'accept-ranges': 'none' } : { 'accept-ranges': 'bytes', etag: tag, 'content-length': lengthOf(range ?? whole) }),
      ...(range !== undefined && { 'content-range': `bytes ${range.start}-${range.end - 1}/${size}` })
    })
    if (method === 'HEAD' || size === 0) return void response.end()
    const sending = send(file, range ?? whole, response)
    this.#requests.add(sending)
    void sending.then(() => this.#requests.delete(sending))
  }

  /** Compares with each, so that the time it takes tells nothing of how near a guess was. */
  #find(path: string): Served | undefined {
    const asked = encodeUtf8(path)
    let found: Served | undefined
    for (const served of this.#served.values()) if (equalBytes(asked, encodeUtf8(served.path))) found = served
    return found
  }
}

/** Sends at the pace of the reader: nothing more is fetched while it takes nothing. Never fails. */
async function send(file: OpenFile, range: Range | undefined, response: ServerResponse): Promise<void> {
  const stop = new Stop(undefined)
  response.on('close', () => stop.stop(LEFT))
  response.on('error', () => stop.stop(LEFT))
  // A player can show how long it is before the first block is here.
  response.flushHeaders()
  let left = range === undefined ? Infinity : lengthOf(range)
  try {
    for await (const bytes of streamFile(file, range?.start ?? 0, range?.end ?? Infinity, stop)) {
      left -= bytes.length
      if (!response.write(bytes)) await stop.guard(new Promise<void>((resolve) => void response.once('drain', resolve)))
      // The reader has what it asked for, and may ask for more by the same connection.
      if (left === 0) break
    }
    response.end()
  } catch (error) {
    // So that the reader does not take what it has for all.
    response.destroy()
    if (error !== LEFT && error !== file.core.closed) file.report(error)
  }
}

function lengthOf({ start, end }: Range): number {
  return end - start
}

function refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { ...HEADERS, ...headers, 'content-length': 0 })
  response.end()
}

function unavailable(cause: unknown): FileError {
  return new FileError('URL_UNAVAILABLE', 'Nothing can listen on the loopback address of this machine.', { cause, retryable: true })
}
