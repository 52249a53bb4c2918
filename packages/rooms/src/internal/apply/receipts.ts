import type { ContentContext, ContentRule } from '../apply.js'
import { OpType } from '../op.js'
import { MAX_REACT_OP_BYTES, voiced } from './messages.js'

/** How far members say to have read: one row a device, which does not go back. */
export const RECEIPT_RULES: readonly (readonly [number, ContentRule])[] = [[OpType.receipt, { least: 'reader', apply: voiced(receipt) }]]

async function receipt({ view, node, op, device }: ContentContext): Promise<boolean> {
  const { target, sentAt } = op.header
  const row = target && node.value.length <= MAX_REACT_OP_BYTES ? await view.message(target) : null
  if (row === null) return false
  const writer = node.from.key
  const known = await view.receipt(writer)
  const before = known && (await view.message(known.message))
  if (before && before.order >= row.order) return false
  await view.put('read-receipts', { writer, identity: device.identity, message: row.id, sentAt })
  return true
}
