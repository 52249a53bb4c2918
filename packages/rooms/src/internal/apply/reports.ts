import { OpType } from '../op.js'
import type { ContentContext, ContentRule } from '../apply.js'

/** How many reports of one member wait at most, and of all. */
export const MAX_REPORTS_BY_ONE = 16
const MAX_REPORTS = 1_024
/** The most bytes of a report: slots for 64 devices, and a reason. */
const MAX_REPORT_OP_BYTES = 8_192

/** What members tell moderators of: sealed for these, so that nobody else knows what it is about. */
export const REPORT_RULES: readonly (readonly [number, ContentRule])[] = [
  [OpType.report, { least: 'reader', apply: report }],
  [OpType.resolveReport, { least: 'moderator', apply: resolveReport }]
]

async function report({ view, node, id, device, meta }: ContentContext): Promise<boolean> {
  const { identity } = device
  const waiting = meta.reports ?? 0
  if (node.value.length > MAX_REPORT_OP_BYTES || waiting >= MAX_REPORTS) return false
  if ((await view.reportsBy(identity)).length >= MAX_REPORTS_BY_ONE) return false
  await view.put('reports', { identity, id, writer: node.from.key, op: node.value })
  meta.reports = waiting + 1
  return true
}

async function resolveReport({ view, node, op, meta }: ContentContext): Promise<boolean> {
  const { target, type, sentAt } = op.header
  const row = target ? await view.report(target) : null
  if (row === null) return false
  await view.delete('reports', row)
  meta.reports = (meta.reports ?? 1) - 1
  meta.acts = (meta.acts ?? 0) + 1
  await view.put('acts', { position: meta.authority, number: meta.acts, writer: node.from.key, type, target: row.identity, sentAt })
  return true
}
