import { isAtLeast, roleNumber, roleOf, type Role } from '../roles.js'
import type { RoomRules, WritingRole } from '../rules.js'
import { MAX_SLOW_MODE_MS } from '../constants.js'
import type { Structs } from './structs.js'
import type { RoomRow } from './view.js'

/** The numbers of the rules in ops and rows. One, once given, is never given to another. */
const NUMBERS = { slowModeMs: 1, broadcast: 2, links: 3, media: 4, presence: 5 } as const satisfies Record<keyof RoomRules, number>

type RuleName = keyof RoomRules

export const RULE_NAMES = Object.keys(NUMBERS) as readonly RuleName[]

const DEFAULTS: RoomRules = { slowModeMs: 0, broadcast: false, links: 'member', media: 'member', presence: true }

export type Rule = Structs['rule']

export function writeRules(rules: Partial<RoomRules>): Rule[] {
  return RULE_NAMES.flatMap((name) => {
    const value = rules[name]
    if (value === undefined) return []
    return [{ rule: NUMBERS[name], value: typeof value === 'string' ? roleNumber(value) : Number(value) }]
  })
}

/** The rules that a room has: for what was never set, the default. */
export function rulesOf(room: Pick<RoomRow, 'rules'> | null): RoomRules {
  const values = new Map((room?.rules ?? []).map(({ rule, value }) => [rule, value]))
  const role = (name: 'links' | 'media'): WritingRole => {
    const found = roleOf(values.get(NUMBERS[name]) ?? 0)
    return isWritingRole(found) ? found : DEFAULTS[name]
  }
  return {
    slowModeMs: values.get(NUMBERS.slowModeMs) ?? DEFAULTS.slowModeMs,
    broadcast: values.get(NUMBERS.broadcast) === 1,
    links: role('links'),
    media: role('media'),
    presence: values.get(NUMBERS.presence) !== 0
  }
}

/** Those of the rules that are set. */
export function readRules(rules: readonly Rule[]): Partial<RoomRules> {
  const all = rulesOf({ rules })
  const isSet = (name: RuleName): boolean => rules.some(({ rule }) => rule === NUMBERS[name])
  return Object.fromEntries(RULE_NAMES.filter(isSet).map((name) => [name, all[name]]))
}

/** Whether this is a rule of a room, set to something that it may be set to. */
export function isRule({ rule, value }: Rule): boolean {
  switch (rule) {
    case NUMBERS.slowModeMs:
      return value <= MAX_SLOW_MODE_MS
    case NUMBERS.broadcast:
    case NUMBERS.presence:
      return value <= 1
    case NUMBERS.links:
    case NUMBERS.media:
      return isWritingRole(roleOf(value))
    default:
      return false
  }
}

export function isWritingRole(role: Role | undefined): role is WritingRole {
  return role !== undefined && role !== 'owner' && isAtLeast(role, 'member')
}

/** The rules of a room, changed: in the order of their numbers, each once. */
export function changeRules(present: readonly Rule[], changes: readonly Rule[]): Rule[] {
  const values = new Map([...present, ...changes].map(({ rule, value }) => [rule, value]))
  return [...values].map(([rule, value]) => ({ rule, value })).toSorted((a, b) => a.rule - b.rule)
}
