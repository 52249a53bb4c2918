/** How this device's network is seen from outside. All plain data. */
export interface Diagnosis {
  /** What it means, in sentences for a person. */
  readonly summary: string
  /**
   * What is between this device and the internet: nothing, a router that keeps a port for this device, one
   * that takes another port for each destination, or what too few answers came to tell.
   */
  readonly nat: 'none' | 'consistent' | 'random' | 'unknown'
  /** The address that others see, or `null` while nobody has answered. */
  readonly publicAddress: { readonly host: string; readonly port: number } | null
  /** Nodes of the DHT that were asked over UDP, and how many answered. */
  readonly udp: { readonly asked: number; readonly answered: number; readonly roundTripMs: number | null }
  /** This node's own relays. */
  readonly relays: readonly RelayDiagnosis[]
  /** How far this device's clock is ahead, by what the relays say; `null` where none does. */
  readonly clockAheadMs: number | null
}

export interface RelayDiagnosis {
  /** The relay's key. z-base-32. */
  readonly id: string
  readonly isReachable: boolean
  readonly roundTripMs: number | null
}
