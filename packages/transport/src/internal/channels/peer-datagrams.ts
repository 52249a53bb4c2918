import type { DatagramStats } from '../../channel.js'
import { MAX_UNREAD_DATAGRAMS } from './constants.js'
import type { DatagramPort } from './datagram-port.js'
import type { Inbox } from './inbox.js'
import { ReplayWindow } from './replay-window.js'

interface PeerDatagramsInit {
  readonly peer: string
  readonly port: DatagramPort
  readonly datagrams: Inbox<{ sequence: number; bytes: Uint8Array }>
}

/** The datagrams of a channel with one peer, from its opening to its end. */
export class PeerDatagrams {
  /** By which number the peer calls them. */
  readonly id: number
  /** By which number they are called for the peer; `null` until it has said. */
  remoteId: number | null = null
  readonly #init: PeerDatagramsInit
  readonly #window = new ReplayWindow()
  #sent = 0
  #received = 0
  #replayed = 0
  #late = 0
  #unread = 0

  constructor(init: PeerDatagramsInit) {
    this.#init = init
    this.id = init.port.listen((sequence, bytes) => this.#receive(sequence, bytes))
  }

  get stats(): DatagramStats {
    return {
      sent: this.#sent,
      received: this.#received,
      lost: this.#window.missing,
      replayed: this.#replayed,
      late: this.#late,
      unread: this.#unread
    }
  }

  send(bytes: Uint8Array): boolean {
    if (this.remoteId === null || !this.#init.port.send(this.remoteId, this.#sent, bytes)) return false
    this.#sent++
    return true
  }

  close(): void {
    this.#init.port.stop(this.id)
    // Of interest only while it is fresh.
    this.#init.datagrams.drop(this.#init.peer)
  }

  #receive(sequence: number, bytes: Uint8Array): void {
    const judgement = this.#window.take(sequence)
    if (judgement === 'replayed') this.#replayed++
    if (judgement === 'late') this.#late++
    if (judgement !== 'new') return
    this.#received++
    const { datagrams, peer } = this.#init
    if (datagrams.lengthOf(peer) >= MAX_UNREAD_DATAGRAMS) {
      datagrams.take(peer)
      this.#unread++
    }
    datagrams.push(peer, { sequence, bytes: new Uint8Array(bytes) }, bytes.length)
  }
}
