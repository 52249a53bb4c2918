/** A block of the best chain. */
export interface LightningBlock {
  /** In hexadecimal, as block explorers show it: 64 digits. */
  readonly hash: string
  readonly height: number
  /** As it is hashed: 80 bytes. */
  readonly header: Uint8Array
}

/** Where a transaction stands in the best chain. */
export interface Confirmation {
  readonly block: LightningBlock
  /** Its place in the block, from 0. */
  readonly position: number
  /** With its witnesses. */
  readonly tx: Uint8Array
}

/** Fee rates, in satoshis a thousand weight units. */
export interface FeeRates {
  /** To be mined in the next blocks. */
  readonly urgent: number
  /** Within hours. */
  readonly normal: number
  /** Within days. */
  readonly low: number
}

/**
 * What an embedded Lightning node knows of the chain. **It is trusted**: one that lies, or is silent for longer than a
 * channel's delay (a day or more), can cost what is in the channels. Ids of transactions are 64 hexadecimal digits, as
 * block explorers show them. A call that cannot be answered rejects, and is made again later.
 */
export interface LightningChain {
  /** The newest block. */
  tip(): Promise<LightningBlock>
  /** Whether the block is in the best chain. */
  isBest(hash: string): Promise<boolean>
  /** `undefined` where it is in no block of the best chain. */
  confirmation(txid: string): Promise<Confirmation | undefined>
  /** The transaction that spends an output, in a block or waiting for one. */
  spender(txid: string, output: number): Promise<string | undefined>
  /** Hands a transaction to the network. Resolves too where it is known, or conflicts with one that is. */
  broadcast(tx: Uint8Array): Promise<void>
  feeRates(): Promise<FeeRates>
}
