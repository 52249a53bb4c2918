import {
  Option_SocketAddressZ,
  Result_CVec_u8ZPeerHandleErrorZ_OK,
  Result_NonePeerHandleErrorZ_OK,
  Result_boolPeerHandleErrorZ_OK,
  SocketDescriptor,
  type PeerManager
} from 'lightningdevkit'
import type { PeerLink } from '../../ldk/link.js'

/** What waits to be sent to one peer before LDK is told to hold back: many messages, the largest has 65 kB. */
const MAX_WAITING_BYTES = 1 << 20
/** What is handed to LDK at once. */
const READ_BYTES = 32_768

interface Connection {
  readonly id: bigint
  readonly link: PeerLink
  readonly socket: SocketDescriptor
  /** Made by LDK, and not sent before what it tells of is durable. */
  readonly waiting: Uint8Array[]
  /** Of `waiting`, and of what is being sent. */
  waitingBytes: number
  /** Resolves when all that may be sent is. */
  sent: Promise<void>
  /** LDK has more to send, and is to be told when there is room. */
  isFull: boolean
  goOn: (() => void) | undefined
  isOver: boolean
}

/** What the node does around a call of LDK: it stops for good where LDK breaks, and settles afterwards. */
export type Enter = <Value>(call: () => Value) => Value

/**
 * The connections of a node. All that LDK wants to send is kept until the node lets it go with {@link takeOutgoing}.
 */
export class Peers {
  readonly #connections = new Map<bigint, Connection>()
  readonly #manager: PeerManager
  readonly #enter: Enter
  #nextId = 1n

  constructor(manager: PeerManager, enter: Enter) {
    this.#manager = manager
    this.#enter = enter
  }

  /** @returns what resolves when the link is over; it never rejects. */
  open(link: PeerLink, peer: Uint8Array | null): Promise<void> {
    const connection = this.#newConnection(link)
    const { socket } = connection
    const isTaken = this.#enter(() => {
      if (peer === null) return this.#manager.new_inbound_connection(socket, Option_SocketAddressZ.constructor_none()) instanceof Result_NonePeerHandleErrorZ_OK
      const hello = this.#manager.new_outbound_connection(peer, socket, Option_SocketAddressZ.constructor_none())
      if (hello instanceof Result_CVec_u8ZPeerHandleErrorZ_OK) enqueue(connection, hello.res)
      return hello.is_ok()
    })
    if (!isTaken) connection.isOver = true
    return this.#read(connection)
  }

  /** What may leave once the present state is durable. Called later, it sends, and never rejects. */
  takeOutgoing(): () => void {
    const batches = [...this.#connections.values()].map((connection) => ({ connection, chunks: connection.waiting.splice(0) }))
    return () => {
      for (const { connection, chunks } of batches) {
        if (chunks.length > 0) connection.sent = connection.sent.then(() => this.#send(connection, chunks))
      }
    }
  }

  close(): void {
    for (const connection of this.#connections.values()) end(connection)
    this.#connections.clear()
  }

  #newConnection(link: PeerLink): Connection {
    const id = this.#nextId++
    const socket = SocketDescriptor.new_impl({
      send_data(data, resumeRead) {
        if (resumeRead) resume(connection)
        connection.isFull = connection.waitingBytes > MAX_WAITING_BYTES
        if (connection.isFull || connection.isOver) return 0
        enqueue(connection, data)
        return data.length
      },
      disconnect_socket: () => end(connection),
      eq: (other) => other.hash() === id,
      hash: () => id
    })
    const connection: Connection = {
      id,
      link,
      socket,
      waiting: [],
      waitingBytes: 0,
      sent: Promise.resolve(),
      isFull: false,
      goOn: undefined,
      isOver: false
    }
    this.#connections.set(id, connection)
    return connection
  }

  async #read(connection: Connection): Promise<void> {
    const { link, socket } = connection
    try {
      if (!connection.isOver) for await (const bytes of link.incoming) {
        for (let at = 0; at < bytes.length && !connection.isOver; at += READ_BYTES) {
          // A copy of its own, and Uint8Array whatever the stream gives.
          const chunk = Uint8Array.from(bytes.subarray(at, at + READ_BYTES))
          const read = this.#enter(() => this.#manager.read_event(socket, chunk))
          if (!(read instanceof Result_boolPeerHandleErrorZ_OK)) connection.isOver = true
          else if (read.res) await new Promise<void>((resolve) => void (connection.goOn = resolve))
        }
        if (connection.isOver) break
      }
    } catch {
      // The link broke, as links do; or LDK did, and the node has stopped.
    }
    this.#connections.delete(connection.id)
    end(connection)
    try {
      this.#enter(() => this.#manager.socket_disconnected(socket))
    } catch {
      // The node has stopped, and said why to those who asked it for something.
    }
  }

  async #send(connection: Connection, chunks: Uint8Array[]): Promise<void> {
    try {
      for (const chunk of chunks) {
        await connection.link.send(chunk)
        connection.waitingBytes -= chunk.length
      }
      if (connection.isFull && !connection.isOver) this.#enter(() => this.#manager.write_buffer_space_avail(connection.socket))
    } catch {
      end(connection)
    }
  }
}

function enqueue(connection: Connection, data: Uint8Array): void {
  if (data.length === 0) return
  connection.waiting.push(Uint8Array.from(data))
  connection.waitingBytes += data.length
}

function resume(connection: Connection): void {
  connection.goOn?.()
  connection.goOn = undefined
}

function end(connection: Connection): void {
  connection.isOver = true
  resume(connection)
  // Not within a call of LDK, which nothing may be thrown through.
  queueMicrotask(() => connection.link.close())
}
