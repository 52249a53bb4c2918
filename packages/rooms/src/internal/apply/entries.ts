import { isAtLeast, roleOf } from '../../roles.js'
import type { ContentContext, ContentRule } from '../apply.js'
import { HASH_BYTES, hash } from '../crypto.js'
import { OpType } from '../op.js'
import { decodeStruct } from '../structs.js'
import type { CollectionUsageRow } from '../view.js'
import { voiced } from './messages.js'

/** The most bytes of an op that puts an entry: a value of 64 KiB, a key of 256 bytes, and what goes with them. */
export const MAX_PUT_OP_BYTES = 67_584
/** The most entries of a collection: whoever lists them opens the keys of all, to put them in order. */
export const MAX_ENTRIES = 10_000
/** The most bytes that they take together, as ops: every member's device holds them. */
export const MAX_COLLECTION_BYTES = 16 * 1_048_576

/**
 * What becomes of entries: the last in the order of the room holds. Who may write is what the room says of the
 * collection at that place of the order; what was put there by somebody who might, stays when that changes.
 */
export const ENTRY_RULES: readonly (readonly [number, ContentRule])[] = [
  [OpType.put, { least: 'reader', apply: voiced(put) }],
  [OpType.del, { least: 'reader', apply: voiced(del) }]
]

async function put(context: ContentContext): Promise<boolean> {
  const { view, node, id } = context
  const name = await writableName(context)
  if (name === undefined || node.value.length > MAX_PUT_OP_BYTES) return false
  const before = await view.entry(name.collection, name.key)
  const usage = await usageOf(context, name.collection)
  const entries = usage.entries + (before === null ? 1 : 0)
  const bytes = usage.bytes + node.value.length - (before?.op.length ?? 0)
  // What makes it less is taken, however full it is.
  if (entries > MAX_ENTRIES || (bytes > MAX_COLLECTION_BYTES && bytes > usage.bytes)) return false
  await view.put('entries', { ...name, id, writer: node.from.key, op: node.value })
  await putUsage(context, { ...usage, entries, bytes })
  return true
}

async function del(context: ContentContext): Promise<boolean> {
  const { view } = context
  const name = await writableName(context)
  const before = name && (await view.entry(name.collection, name.key))
  if (!before) return false
  const usage = await usageOf(context, before.collection)
  await view.delete('entries', before)
  await putUsage(context, { ...usage, entries: usage.entries - 1, bytes: usage.bytes - before.op.length })
  return true
}

/** What an op is about, where its author may write there. */
async function writableName({ view, op, role }: ContentContext) {
  const name = decodeStruct('entry-name', op.header.payload ?? new Uint8Array())
  const collection = name && (await view.collection(name.collection))
  const least = collection && roleOf(collection.role)
  return least && isAtLeast(role, least) ? name : undefined
}

async function usageOf({ view }: ContentContext, id: Uint8Array): Promise<CollectionUsageRow> {
  return (await view.collectionUsage(id)) ?? { id, entries: 0, bytes: 0, head: new Uint8Array(HASH_BYTES) }
}

/** With a head that two views have only if the same was done to the collection, in the same order. */
async function putUsage({ view, id }: ContentContext, usage: CollectionUsageRow): Promise<void> {
  await view.put('collection-usage', { ...usage, head: hash('covey/collection/head/1', usage.head, id) })
}
