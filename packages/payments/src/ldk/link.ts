import { assertBytes, assertFunction } from '@covey/core'

/**
 * A way to another Lightning node: bytes in order, both ways. Nothing of it is trusted; Lightning encrypts, and proves
 * who the other node is.
 */
export interface PeerLink {
  /** What arrives, until the link ends. Taken once. */
  readonly incoming: AsyncIterable<Uint8Array>
  /** Resolves when there is room for more. */
  send(bytes: Uint8Array): Promise<void>
  /** Ends the link, both ways. May be called again. */
  close(): void
}

/** What {@link linkOfStream} needs of a stream: Node's sockets have it, and those of HyperDHT. */
export interface ByteStream extends AsyncIterable<Uint8Array> {
  write(bytes: Uint8Array): boolean
  once(event: 'drain' | 'close', listener: () => void): unknown
  removeListener(event: 'drain' | 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  destroy(): unknown
}

/** What {@link linkOfChannel} needs of a channel of bytes: those of `@covey/transport` have it. */
export interface ByteChannel {
  send(peer: string, bytes: Uint8Array): Promise<void>
  messages(): AsyncIterable<{ readonly peer: string; readonly message: Uint8Array }>
  close(): Promise<void>
}

/** What a channel takes at once by default, and more than a Lightning message has. */
const CHUNK_BYTES = 32_768

/**
 * A link over a duplex stream, such as a TCP socket.
 *
 * @throws {TypeError} when it is no stream.
 * @example
 * ```ts
 * import { connect } from 'node:net'
 * import { linkOfStream, type LightningNode } from '@covey/payments/ldk'
 *
 * async function dial(node: LightningNode, peer: Uint8Array): Promise<void> {
 *   await node.connect(peer, linkOfStream(connect(9735, 'node.example')))
 * }
 * console.log(dial.name)
 * ```
 */
export function linkOfStream(stream: ByteStream): PeerLink {
  assertFunction(stream?.write, 'stream.write')
  let isClosed = false
  // It is told by the end of what arrives.
  stream.on('error', () => stream.destroy())
  stream.once('close', () => void (isClosed = true))
  return {
    incoming: stream,
    async send(bytes) {
      if (isClosed || stream.write(bytes)) return
      await new Promise<void>((resolve) => {
        const done = (): void => {
          stream.removeListener('drain', done)
          stream.removeListener('close', done)
          resolve()
        }
        stream.once('drain', done)
        stream.once('close', done)
      })
    },
    close: () => void stream.destroy()
  }
}

/**
 * A link over a Covey channel to one device. The channel is to be open with that device alone, and nothing else is to
 * read from it. It is closed with the link.
 *
 * @throws {TypeError} when it is no channel.
 * @example
 * ```ts
 * import { defineChannel, type ChannelHost } from '@covey/transport'
 * import { linkOfChannel, type LightningNode } from '@covey/payments/ldk'
 *
 * const lightning = defineChannel({ name: 'acme/lightning', version: 1 })
 *
 * async function accept(host: ChannelHost, node: LightningNode, device: string): Promise<void> {
 *   const channel = host.channel(lightning, { peers: [device] })
 *   await channel.opened(device)
 *   await node.accept(linkOfChannel(channel, device))
 * }
 * console.log(accept.name)
 * ```
 */
export function linkOfChannel(channel: ByteChannel, peer: string): PeerLink {
  assertFunction(channel?.messages, 'channel.messages')
  return {
    incoming: messagesOf(channel, peer),
    async send(bytes) {
      assertBytes(bytes, 'bytes')
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) await channel.send(peer, bytes.subarray(at, at + CHUNK_BYTES))
    },
    close: () => void channel.close()
  }
}

async function* messagesOf(channel: ByteChannel, peer: string): AsyncIterable<Uint8Array> {
  for await (const { peer: from, message } of channel.messages()) if (from === peer) yield message
}
