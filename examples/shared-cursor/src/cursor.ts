import { defineChannel, type Channel, type Node } from '@covey/transport'

/** Where somebody points, and where they clicked: in per mille of the width and height of what is shown. */
export interface Point {
  readonly x: number
  readonly y: number
}

const POINT_BYTES = 4

/** What is said on the channel is a click. Positions are datagrams: one that is lost is made up for by the next. */
const CURSORS = defineChannel<Point>({
  name: 'example/cursors',
  version: 1,
  maxMessageBytes: POINT_BYTES,
  codec: { encode: encodePoint, decode: decodePoint }
})

export interface Cursors {
  /** Resolves when a friend is there. */
  joined(peer: string): Promise<void>
  /** Tells everyone where the cursor is. Now and then nobody hears it. */
  move(point: Point): void
  /** Tells everyone of a click, once and for sure. */
  click(point: Point): Promise<void>
  close(): Promise<void>
}

/** Shows one's own cursor to the friends that are connected, and theirs to oneself. */
export function shareCursor(
  node: Node,
  friends: Iterable<string>,
  show: (peer: string, point: Point, isClick: boolean) => void
): Cursors {
  const channel = node.channel(CURSORS, { peers: friends, maxMessagesPerSecond: 20 })
  const shown = Promise.all([showClicks(channel, show), showMoves(channel, show)])
  return {
    joined: (peer) => channel.opened(peer),
    move(point) {
      for (const peer of channel.peers) channel.sendDatagram(peer, encodePoint(point))
    },
    async click(point) {
      await Promise.all(channel.peers.map((peer) => channel.send(peer, point)))
    },
    async close() {
      await channel.close()
      await shown
    }
  }
}

async function showClicks(channel: Channel<Point>, show: (peer: string, point: Point, isClick: boolean) => void): Promise<void> {
  for await (const { peer, message } of channel.messages()) show(peer, message, true)
}

async function showMoves(channel: Channel<Point>, show: (peer: string, point: Point, isClick: boolean) => void): Promise<void> {
  const newest = new Map<string, number>()
  channel.on('open', ({ peer }) => newest.delete(peer))
  for await (const { peer, sequence, bytes } of channel.datagrams()) {
    // One that was overtaken shows where the cursor was, not where it is.
    if (sequence < (newest.get(peer) ?? 0) || bytes.length !== POINT_BYTES) continue
    newest.set(peer, sequence)
    show(peer, decodePoint(bytes), false)
  }
}

function encodePoint({ x, y }: Point): Uint8Array {
  const bytes = new Uint8Array(POINT_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, x)
  view.setUint16(2, y)
  return bytes
}

/** Throws for what is no point: the channel with who sent it is closed then. */
function decodePoint(bytes: Uint8Array): Point {
  if (bytes.length !== POINT_BYTES) throw new Error(`A point is ${POINT_BYTES} bytes.`)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return { x: view.getUint16(0), y: view.getUint16(2) }
}
