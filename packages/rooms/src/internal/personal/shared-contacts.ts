import { equalBytes } from '@covey/core'
import type { LocalContacts } from '../people/contacts.js'
import { BLOCK, CONTACT, counts } from '../people/shared-entry.js'
import type { PersonalState } from './personal-state.js'

/** Has the devices of a person know the same people, and be deaf to the same ones. */
export interface SharedContacts {
  /** To be called when this device, or the others, may have something new. */
  changed(): Promise<void>
}

export function createSharedContacts(state: Pick<PersonalState, 'get' | 'entries' | 'set'>, contacts: Pick<LocalContacts, 'shared' | 'adopt'>): SharedContacts {
  /** What was said last of each, which the room may not have yet. */
  const said = new Map<string, Uint8Array>()
  const isSame = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean => a !== undefined && b !== undefined && equalBytes(a, b)

  return {
    async changed() {
      const own = new Map(contacts.shared())
      for (const prefix of [CONTACT, BLOCK]) {
        for (const [id, value] of state.entries(prefix)) {
          if (!isSame(own.get(prefix + id), value)) await contacts.adopt(prefix + id, value)
        }
      }
      for (const [name, value] of contacts.shared()) {
        const theirs = state.get(name)
        if (isSame(theirs, value) || isSame(said.get(name), value) || !counts(name, value, theirs)) continue
        await state.set(name, value)
        said.set(name, value)
      }
    }
  }
}
