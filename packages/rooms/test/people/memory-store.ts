import type { PeopleStore } from '../../src/internal/people/people-store.js'

/** What a device keeps of people, for as long as the test, and how often something was written. */
export function memoryStore(): { readonly store: PeopleStore; readonly writes: () => number } {
  const kept = new Map<string, Uint8Array>()
  const listeners = new Set<(key: string) => void>()
  let writes = 0
  const store: PeopleStore = {
    get: (key) => kept.get(key),
    entries: (prefix) => [...kept].flatMap(([key, value]): [string, Uint8Array][] => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])),
    async set(key, value) {
      writes++
      if (value === null) kept.delete(key)
      else kept.set(key, value)
      for (const listener of listeners) listener(key)
    },
    watch(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close: async () => undefined
  }
  return { store, writes: () => writes }
}
