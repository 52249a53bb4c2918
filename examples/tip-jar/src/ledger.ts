import { open, readFile } from 'node:fs/promises'

/** One tip that has come. */
export interface LedgerLine {
  /** Names the payment: each is in the ledger once. */
  readonly payment: string
  /** The id of the identity that has tipped. */
  readonly from: string
  /** In the smallest unit of the asset, as decimal digits. */
  readonly amount: string
  readonly asset: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** What has come, in a file that a person can read: a line of JSON each. */
export interface Ledger {
  readonly lines: readonly LedgerLine[]
  /** Durable when it resolves; `false` where the payment was in it before. One call after the other. */
  add(line: LedgerLine): Promise<boolean>
}

export async function openLedger(path: string): Promise<Ledger> {
  const file = await open(path, 'a+', 0o600)
  const text = await readFile(file, 'utf8')
  // What a crash has left of a line was told to nobody, and goes with the next one.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  await file.close()
  const lines = whole.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as LedgerLine)
  let size = Buffer.byteLength(whole)
  let last: Promise<unknown> = Promise.resolve()

  async function append(line: LedgerLine): Promise<boolean> {
    if (lines.some(({ payment }) => payment === line.payment)) return false
    const added = `${JSON.stringify(line)}\n`
    const out = await open(path, 'a', 0o600)
    try {
      // What is left of a line that could not be written goes first.
      await out.truncate(size)
      await out.appendFile(added)
      await out.sync()
    } finally {
      await out.close()
    }
    size += Buffer.byteLength(added)
    lines.push(line)
    return true
  }

  return {
    lines,
    add(line) {
      const added = last.then(() => append(line))
      last = added.catch(() => undefined)
      return added
    }
  }
}
