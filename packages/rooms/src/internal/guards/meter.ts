/** What a writer may have downloaded: so much at once, and so much more with time. */
export interface Allowance {
  readonly burst: number
  readonly perSecond: number
}

/** Two allowances that are drawn on together: blocks, which cost work, and bytes, which cost disk. */
export interface Meter {
  /** How much may be taken now; 0 where either is used up. */
  left(): { readonly blocks: number; readonly bytes: number }
  isUsedUp(): boolean
  isHalfFull(): boolean
  isFull(): boolean
  /** Takes a block, also where less is left: what is on its way cannot be sent back. */
  take(bytes: number): void
  /** In how many milliseconds some of both is left again. */
  waitMs(): number
}

export interface MeterInit {
  readonly blocks: Allowance
  readonly bytes: Allowance
  /** Milliseconds; may jump either way. */
  readonly now?: () => number
}

export function createMeter({ blocks, bytes, now = Date.now }: MeterInit): Meter {
  const [ofBlocks, ofBytes] = [createTank(blocks), createTank(bytes)]
  let filledAt = now()

  function fill(): void {
    const at = now()
    // A clock that is set back must not stop the refill for as long as it was set back.
    const seconds = Math.max(0, at - filledAt) / 1_000
    filledAt = at
    for (const tank of [ofBlocks, ofBytes]) tank.fill(seconds)
  }

  function left() {
    fill()
    const has = ofBlocks.level() >= 1 && ofBytes.level() >= 1
    return { blocks: has ? Math.floor(ofBlocks.level()) : 0, bytes: has ? Math.floor(ofBytes.level()) : 0 }
  }

  function isFilledTo(share: number): boolean {
    fill()
    return ofBlocks.level() >= share * blocks.burst && ofBytes.level() >= share * bytes.burst
  }

  return {
    left,
    isUsedUp: () => left().blocks === 0,
    isHalfFull: () => isFilledTo(0.5),
    isFull: () => isFilledTo(1),
    take(size) {
      fill()
      ofBlocks.take(1)
      ofBytes.take(size)
    },
    waitMs() {
      fill()
      return Math.ceil(1_000 * Math.max(ofBlocks.waitSeconds(), ofBytes.waitSeconds()))
    }
  }
}

function createTank({ burst, perSecond }: Allowance) {
  let tokens = burst
  // To go on at the first token would be to stop and start for each block.
  const enough = Math.min(burst, perSecond)
  return {
    level: () => tokens,
    take: (amount: number) => void (tokens -= amount),
    fill: (seconds: number) => void (tokens = Math.min(burst, tokens + seconds * perSecond)),
    waitSeconds: () => Math.max(0, enough - tokens) / perSecond
  }
}
