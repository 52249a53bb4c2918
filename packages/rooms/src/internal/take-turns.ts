import { createTurns } from '@covey/core'

/** Runs work of one name one after the other, and of different names side by side. */
export function createTurnTaker() {
  const turns = createTurns()
  return <Value>(name: string, work: () => Promise<Value>): Promise<Value> => turns.take(name, undefined, work)
}
