import { encodeZ32 } from '@covey/core'
import type { Poll } from '../contents/poll.js'
import type { PollResult } from '../message.js'
import { decodeStruct } from './structs.js'
import type { MessageStateRow, VoteRow } from './view.js'

/** What has become of a poll. A vote for what there is none of, or for two where one is asked for, is none. */
export async function countVotes(
  { question, options, isMultiple }: Poll,
  state: MessageStateRow | null,
  rows: readonly VoteRow[],
  self: string,
  bodyOf: (row: VoteRow) => Promise<Uint8Array | string>
): Promise<PollResult> {
  const by = options.map((): string[] => [])
  let voters = 0
  for (const row of rows) {
    const body = await bodyOf(row)
    const choices = typeof body === 'string' ? [] : readChoices(body)
    if (!areChoices(choices, options.length, isMultiple)) continue
    if (choices.length > 0) voters++
    for (const choice of choices) by[choice]!.push(encodeZ32(row.identity))
  }
  return {
    question,
    isMultiple,
    isClosed: state?.closed === true,
    voters,
    options: options.map((text, i) => ({ text, count: by[i]!.length, by: by[i]!, isOwn: by[i]!.includes(self) }))
  }
}

/** Whether these can be chosen together, of so many. None takes a vote back. */
export function areChoices(choices: readonly number[], options: number, isMultiple: boolean): boolean {
  if (choices.length > (isMultiple ? options : 1) || new Set(choices).size < choices.length) return false
  return choices.every((choice) => Number.isSafeInteger(choice) && choice >= 0 && choice < options)
}

function readChoices(body: Uint8Array): readonly number[] {
  return decodeStruct('vote-body', body)?.choices ?? []
}
