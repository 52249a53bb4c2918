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

/** A WebSocket has no half that stays open when the other is closed. */
export function closeWhole<S extends ByteStream>(stream: S): S {
  stream.on('end', () => stream.destroy())
  return stream
}

/** Connects; the stream is usable at once, and breaks where nobody answers. */
export function connectWebSocket({ isSecure, host, port, path }: WebSocketTarget): ByteStream {
  const { WebSocket, createWebSocketStream, default: bare } = websocket
  const limits = { perMessageDeflate: false, maxPayload: MAX_MESSAGE_BYTES }
  if (WebSocket === undefined) {
    return closeWhole(new bare.Socket({ ...limits, protocol: isSecure ? 'wss:' : 'ws:', secure: isSecure, host, port, path }))
  }
  const name = host.includes(':') ? `[${host}]` : host
  return closeWhole(createWebSocketStream(new WebSocket(`${isSecure ? 'wss' : 'ws'}://${name}:${port}${path}`, limits)))
}
