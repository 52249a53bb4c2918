import { equalBytes, isCoveyError } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { deviceSecrets } from '@covey/identity/internal'
import { HISTORY } from './keyring.js'
import { mapKey } from './map-key.js'
import { commitmentTo, hasParent, messageKey, openParent, openSlot, slotsFor, stateKey } from './slots.js'
import { rotationOf } from './rotation.js'
import type { Structs } from './structs.js'
import type { EpochRow, RoomView } from './view.js'

/** The keys that this device can get at of a room's epochs. Nothing of it is ever seen by `apply`. */
export interface EpochKeys {
  /** The key of an epoch, or `undefined` while this device has been given none. */
  key(epoch: Uint8Array): Promise<Uint8Array | undefined>
  /** What the messages of an epoch are sealed with, or `undefined` while this device cannot know. */
  messageKey(epoch: Uint8Array): Promise<Uint8Array | undefined>
  /** What names and settings of an epoch are sealed with, likewise. */
  stateKey(epoch: Uint8Array): Promise<Uint8Array | undefined>
  /** The key that the slots of a report hold for this device, if it is the one committed to. */
  openReport(slots: Pick<Structs['grant'], 'ephemeral' | 'slots'>, commitment: Uint8Array): Uint8Array | undefined
  /** To be called when epochs or grants have changed: what was missing may be there. */
  changed(): void
}

export interface EpochKeysInit {
  readonly room: Uint8Array
  /** This device's writer core. */
  readonly writer: Uint8Array
  readonly identity: LocalIdentity
  readonly view: RoomView
}

/** Among how many later epochs one is looked for that carries a key on. It is among the first of them, but where somebody makes many. */
const MAX_CARRIERS = 128

export function createEpochKeys({ room, writer, identity, view }: EpochKeysInit): EpochKeys {
  const box = identity.device.boxPublicKey
  const secrets = deviceSecrets(identity)
  const keys = new Map<string, Uint8Array>()
  const stateKeys = new Map<string, Uint8Array>()
  /** What is being looked for, or was in vain: each epoch is looked for once, however many carry it on. */
  const searches = new Map<string, Promise<Uint8Array | undefined>>()

  function key(epoch: Uint8Array): Promise<Uint8Array | undefined> {
    return remembered(keys, epoch, async (row) => {
      // In a room where each has the keys since they came, none carries a whole key on.
      const carries = async (): Promise<boolean> => (await view.room())?.history === HISTORY.full
      const found = (await ownKey(row)) ?? ((await carries()) ? await inherit(row, 'parents', 'commitment', key) : undefined)
      // Who made it would have those who come later take something else for its state key than who is there now.
      return found && equalBytes(commitmentTo(room, stateKey(room, found)), rotationOf(row.op)!.stateCommitment) ? found : undefined
    })
  }

  function epochStateKey(epoch: Uint8Array): Promise<Uint8Array | undefined> {
    return remembered(stateKeys, epoch, async (row) => {
      const whole = await key(epoch)
      return whole ? stateKey(room, whole) : inherit(row, 'states', 'stateCommitment', epochStateKey)
    })
  }

  async function remembered(
    known: Map<string, Uint8Array>,
    epoch: Uint8Array,
    find: (row: EpochRow) => Promise<Uint8Array | undefined>
  ): Promise<Uint8Array | undefined> {
    const name = mapKey(epoch)
    const found = known.get(name)
    if (found !== undefined) return found
    const searchName = `${known === keys} ${name}`
    const running = searches.get(searchName)
    if (running !== undefined) return running

    const search = (async () => {
      const row = await view.epoch(epoch)
      const key = row === null ? undefined : await find(row)
      if (key !== undefined) known.set(name, key)
      return key
    })()
    searches.set(searchName, search)
    search.catch(() => searches.delete(searchName))
    return search
  }

  /** From the slot of this device, or from what somebody granted it afterwards. */
  async function ownKey({ id, op }: EpochRow): Promise<Uint8Array | undefined> {
    const payload = rotationOf(op)
    if (payload === undefined) return undefined
    const { ephemeral, commitment } = payload
    const offers = slotsFor(writer, payload.slots).map((sealed) => ({ ephemeral, sealed }))
    for (const offer of [...offers, ...(await view.grants(id, writer))]) {
      const opened = openSlot(room, offer, commitment, box, agree)
      if (opened !== undefined) return opened
    }
    return undefined
  }

  function agree(publicKey: Uint8Array): Uint8Array | undefined {
    try {
      return secrets.agree(publicKey)
    } catch (error) {
      if (isCoveyError(error, 'IDENTITY_WEAK_KEY')) return undefined
      throw error
    }
  }

  /** From a later epoch that carries it on. */
  async function inherit(
    { id, lamport, op }: EpochRow,
    carried: 'parents' | 'states',
    commitment: 'commitment' | 'stateCommitment',
    keyOf: (epoch: Uint8Array) => Promise<Uint8Array | undefined>
  ): Promise<Uint8Array | undefined> {
    const committed = rotationOf(op)?.[commitment]
    for await (const later of view.epochsAfter(lamport, MAX_CARRIERS)) {
      const entries = rotationOf(later.op)?.[carried]
      if (!entries || !hasParent(entries, id)) continue
      const laterKey = await keyOf(later.id)
      const opened = laterKey && openParent(room, laterKey, entries, id)
      if (opened && committed && equalBytes(commitmentTo(room, opened), committed)) return opened
    }
    return undefined
  }

  return {
    key,
    openReport(payload, commitment) {
      for (const sealed of slotsFor(writer, payload.slots)) {
        const opened = openSlot(room, { ephemeral: payload.ephemeral, sealed }, commitment, box, agree, 'report')
        if (opened !== undefined) return opened
      }
      return undefined
    },
    async messageKey(epoch) {
      const whole = await key(epoch)
      return whole && messageKey(room, whole)
    },
    stateKey: epochStateKey,
    changed: () => searches.clear()
  }
}
