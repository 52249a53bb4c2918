// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="../runtime.d.ts" />
import * as websocket from '#websocket'
import type { WebSocketTarget } from '../../relay.js'
import { MAX_MESSAGE_BYTES } from './wire.js'

/** A stream of bytes, one message of the WebSocket a write. */
export interface ByteStream {
  on(event: string, listener: (...args: never[]) => void): unknown
  destroy(error?: Error): void
}

/** Connects; the stream is usable at once, and breaks where nobody answers. */
export function connectWebSocket({ isSecure, host, port, path }: WebSocketTarget): ByteStream {
  if (websocket.WebSocketServer === undefined) {
    const protocol = isSecure ? 'wss:' : 'ws:'
    return new websocket.default.Socket({ protocol, host, port, path, secure: isSecure, maxPayload: MAX_MESSAGE_BYTES })
  }
  const url = `${isSecure ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`
  return websocket.createWebSocketStream(new websocket.WebSocket(url, { perMessageDeflate: false, maxPayload: MAX_MESSAGE_BYTES }))
}

export interface WebSocketListener {
  readonly port: number
  close(): Promise<void>
}

interface ListenInit {
  readonly host: string
  readonly port: number
  readonly onconnection: (stream: ByteStream) => void
}

/** Listens; resolves when it does. */
export async function listenWebSocket({ host, port, onconnection }: ListenInit): Promise<WebSocketListener> {
  const options = { host, port, perMessageDeflate: false, maxPayload: MAX_MESSAGE_BYTES }
  const { WebSocketServer } = websocket
  const server = WebSocketServer === undefined ? new websocket.default.Server(options) : new WebSocketServer(options)
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', reject)
  })
  server.on('error', () => undefined)
  // On Bare the socket is a stream itself.
  server.on('connection', (socket) =>
    onconnection(WebSocketServer === undefined ? (socket as ByteStream) : websocket.createWebSocketStream(socket))
  )
  return {
    port: server.address().port,
    close: () => new Promise((resolve) => server.close(() => resolve()))
  }
}
