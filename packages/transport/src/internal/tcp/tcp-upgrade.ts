import type { Link } from '../session/link.js'
import { steadyNow } from '../steady-clock.js'
import { MAX_RTT_MS, OFFER_PAUSE_MS } from './constants.js'
import { decodeOffer, encodeOffer } from './offer.js'
import type { Tcp } from './tcp.js'

interface TcpUpgradeInit {
  readonly tcp: Tcp
  readonly publicKey: Uint8Array
  /** Those that there are with the peer. */
  readonly links: ReadonlySet<Link>
}

/** Moves what is said to one peer to TCP where that gets through, beside the UDP that has brought the two together. */
export class TcpUpgrade {
  readonly #init: TcpUpgradeInit
  #offeredAt = -Infinity
  #isDialling = false

  constructor(init: TcpUpgradeInit) {
    this.#init = init
  }

  /** Much was sent on a link that is not TCP. */
  onbulk(link: Link): void {
    const now = steadyNow()
    if (now - this.#offeredAt < OFFER_PAUSE_MS || this.#hasTcp || link.host === null || link.rttMs > MAX_RTT_MS) return
    this.#offeredAt = now
    const { tcp, publicKey } = this.#init
    tcp.offer(publicKey).then(
      (offer) => link.sendTcp(encodeOffer(offer)),
      // Where this device may not listen, there is UDP still.
      () => undefined
    )
  }

  /** The peer can be dialled: where it is, whatever it says. A throw ends the connection. */
  onoffer(link: Link, bytes: Uint8Array): void {
    const offer = decodeOffer(bytes)
    if (!offer.ok) throw offer.error
    const { host } = link
    if (host === null || this.#isDialling || this.#hasTcp || this.#init.tcp.isClosed) return
    this.#isDialling = true
    const stream = this.#init.tcp.dial(this.#init.publicKey, host, offer.value)
    void stream.opened.then((isOpen) => {
      this.#isDialling = false
      // It may get through from the other side.
      if (!isOpen) this.onbulk(link)
    })
  }

  get #hasTcp(): boolean {
    return [...this.#init.links].some(({ isTcp }) => isTcp)
  }
}
