import { encodeZ32 } from '@covey/core'
import type { Reaction } from '../message.js'
import type { ReactionRow } from './view.js'

/** The reactions to a message by emoji, most first, then those that came first; each person counts once. */
export async function countReactions(
  rows: readonly ReactionRow[],
  self: string,
  emojiOf: (row: ReactionRow) => Promise<string | undefined>
): Promise<Reaction[]> {
  const found = new Map<string, Set<string>>()
  for (const row of rows.toSorted((a, b) => a.position - b.position)) {
    const emoji = await emojiOf(row)
    if (emoji === undefined) continue
    const by = found.get(emoji) ?? new Set()
    found.set(emoji, by.add(encodeZ32(row.identity)))
  }
  const reactions = [...found].map(([emoji, by]) => ({ emoji, count: by.size, by: [...by], isOwn: by.has(self) }))
  // The sort is stable: among those with as many, the order of the first stays.
  return reactions.toSorted((a, b) => b.count - a.count)
}
