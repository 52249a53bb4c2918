// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="./runtime.d.ts" />
import { createServer, type RequestListener, type Server } from '#http'
import * as websocket from '#websocket-server'
import { closeWhole, MAX_MESSAGE_BYTES, type ByteStream } from '@covey/transport/internal'
import { MirrorError } from '../errors.js'

export interface Listener {
  readonly port: number
  close(): Promise<void>
}

interface Where {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
}

/**
 * Answers HTTP.
 *
 * @throws {MirrorError} RELAY_PORT_UNAVAILABLE
 */
export async function listenHttp(where: Where, onrequest: RequestListener): Promise<Listener> {
  const server = createServer(onrequest)
  const port = await listen(server, where)
  return { port, close: () => close(server) }
}

/**
 * Takes WebSocket connections, each as a stream of bytes.
 *
 * @throws {MirrorError} RELAY_PORT_UNAVAILABLE
 */
export async function listenWebSocket(where: Where, onconnection: (stream: object) => void): Promise<Listener> {
  const server = createServer((_, response) => {
    response.statusCode = 426
    response.end('This is a relay of Covey. It speaks WebSocket.\n')
  })
  const options = { server, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false }
  const { WebSocketServer, createWebSocketStream, default: bare } = websocket
  const sockets = WebSocketServer === undefined ? new bare.Server(options) : new WebSocketServer(options)
  sockets.on('error', () => undefined)
  // On Bare the socket is a stream itself.
  sockets.on('connection', (socket) => {
    onconnection(closeWhole((WebSocketServer === undefined ? socket : createWebSocketStream(socket)) as ByteStream))
  })
  const port = await listen(server, where)
  return { port, close: () => close(server) }
}

async function listen(server: Server, { host, port }: Where): Promise<number> {
  // Who connects and says nothing is let go of; the same for who says it slowly.
  Object.assign(server, { headersTimeout: 10_000, requestTimeout: 10_000 })
  await new Promise<void>((resolve, reject) => {
    // Later ones are of connections that cannot be taken, as when files run out: those that are there go on.
    server.on('error', (cause) => reject(unavailable(`${host}:${port}`, cause)))
    server.once('listening', resolve)
    server.listen(port, host)
  })
  return (server.address() as { port: number }).port
}

/** Whoever has not upgraded its connection by now is cut off: those that have are streams, and closed as such. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections?.()
  })
}

export function unavailable(where: string, cause: unknown): MirrorError {
  return new MirrorError('RELAY_PORT_UNAVAILABLE', `The relay cannot listen on ${where}.`, {
    cause,
    hint: 'Another program may have the port, or the address may not be of this machine.'
  })
}
