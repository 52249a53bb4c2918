import { createHash, randomBytes } from 'node:crypto'
import type { Confirmation, LightningBlock, LightningChain } from '@covey/payments/ldk'

/** Regtest's first block, which every node knows. */
const GENESIS = Buffer.from(
  `01000000${'00'.repeat(32)}3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000`,
  'hex'
)

interface Mined extends LightningBlock {
  readonly txs: readonly Tx[]
}

interface Tx {
  readonly txid: string
  readonly bytes: Uint8Array
  readonly inputs: readonly string[]
  readonly outputs: readonly { readonly script: string; readonly amount: bigint }[]
}

/** A chain in memory, on which blocks are mined when the test says so. It checks no more than that nothing is spent twice. */
export class FakeChain implements LightningChain {
  readonly #blocks: Mined[] = [{ hash: idOf(GENESIS), height: 0, header: Uint8Array.from(GENESIS), txs: [] }]
  readonly #waiting = new Map<string, Tx>()
  /** Each transaction that was handed in, in order. */
  readonly broadcasts: string[] = []
  isDown = false
  #onBroadcast: (() => void)[] = []

  mine(blocks = 1): void {
    for (let i = 0; i < blocks; i++) {
      const parent = this.#blocks.at(-1)!
      const header = Uint8Array.from([4, 0, 0, 0, ...reversed(parent.hash), ...randomBytes(44)])
      // Miners may be late, and blocks an hour apart.
      new DataView(header.buffer).setUint32(68, Math.floor(Date.now() / 1000) - 3_000, true)
      this.#blocks.push({ hash: idOf(header), height: parent.height + 1, header, txs: [...this.#waiting.values()] })
      this.#waiting.clear()
    }
  }

  /** Resolves when the next transaction is handed in. */
  nextBroadcast(): Promise<void> {
    return new Promise((resolve) => this.#onBroadcast.push(resolve))
  }

  /** Takes the newest blocks away; what was in them waits again. */
  reorganise(blocks: number): void {
    for (const block of this.#blocks.splice(-blocks)) for (const tx of block.txs) this.#waiting.set(tx.txid, tx)
  }

  async tip(): Promise<LightningBlock> {
    this.#up()
    return this.#blocks.at(-1)!
  }

  block(hash: string): LightningBlock | undefined {
    return this.#blocks.find((block) => block.hash === hash)
  }

  async isBest(hash: string): Promise<boolean> {
    this.#up()
    return this.block(hash) !== undefined
  }

  async confirmation(txid: string): Promise<Confirmation | undefined> {
    this.#up()
    for (const block of this.#blocks) {
      const position = block.txs.findIndex((tx) => tx.txid === txid)
      if (position !== -1) return { block, position, tx: block.txs[position]!.bytes }
    }
    return undefined
  }

  async spender(txid: string, output: number): Promise<string | undefined> {
    this.#up()
    return this.#all().find(({ inputs }) => inputs.includes(`${txid}:${output}`))?.txid
  }

  async broadcast(bytes: Uint8Array): Promise<void> {
    this.#up()
    const tx = readTx(bytes)
    this.broadcasts.push(tx.txid)
    for (const tell of this.#onBroadcast.splice(0)) tell()
    const isSpent = this.#all().some(({ inputs }) => inputs.some((input) => tx.inputs.includes(input)))
    if (!isSpent) this.#waiting.set(tx.txid, tx)
  }

  /** The amounts in satoshis, in blocks, that a script has. */
  paidTo(script: Uint8Array): bigint[] {
    const hex = Buffer.from(script).toString('hex')
    return this.#blocks.flatMap((block) => block.txs.flatMap((tx) => tx.outputs.filter((each) => each.script === hex).map(({ amount }) => amount)))
  }

  async feeRates() {
    this.#up()
    return { urgent: 1_000, normal: 500, low: 253 }
  }

  #all(): Tx[] {
    return [...this.#blocks.flatMap((block) => block.txs), ...this.#waiting.values()]
  }

  #up(): void {
    if (this.isDown) throw new Error('The chain does not answer.')
  }
}

/** A signed transaction out of nowhere, as a wallet would make it. */
export function fundingTx(script: Uint8Array, amountSat: bigint): Uint8Array {
  const amount = new Uint8Array(8)
  new DataView(amount.buffer).setBigUint64(0, amountSat, true)
  const input = [...randomBytes(32), 0, 0, 0, 0, 0, 255, 255, 255, 255]
  return Uint8Array.from([2, 0, 0, 0, 0, 1, 1, ...input, 1, ...amount, script.length, ...script, 1, 1, 255, 0, 0, 0, 0])
}

/** The id is of all but the witnesses, as BIP 141 has it. */
function readTx(bytes: Uint8Array): Tx {
  const buffer = Buffer.from(bytes)
  const isSegwit = buffer[4] === 0
  let at = isSegwit ? 6 : 4
  const body = at
  const count = (): number => {
    const first = buffer[at++]!
    if (first < 0xfd) return first
    if (first !== 0xfd) throw new Error('More than a test has.')
    at += 2
    return buffer.readUInt16LE(at - 2)
  }
  const inputs = Array.from({ length: count() }, () => {
    const input = `${Buffer.from(buffer.subarray(at, at + 32)).reverse().toString('hex')}:${buffer.readUInt32LE(at + 32)}`
    at += 36
    const scriptBytes = count()
    at += scriptBytes + 4
    return input
  })
  const outputs = Array.from({ length: count() }, () => {
    const amount = buffer.readBigUInt64LE(at)
    at += 8
    const scriptBytes = count()
    at += scriptBytes
    return { amount, script: buffer.toString('hex', at - scriptBytes, at) }
  })
  const stripped = Buffer.concat([buffer.subarray(0, 4), buffer.subarray(body, at), buffer.subarray(-4)])
  return { txid: idOf(stripped), bytes, inputs, outputs }
}

function idOf(bytes: Uint8Array): string {
  const sha256 = (input: Uint8Array): Buffer => createHash('sha256').update(input).digest()
  return sha256(sha256(bytes)).reverse().toString('hex')
}

function reversed(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex').reverse()
}
