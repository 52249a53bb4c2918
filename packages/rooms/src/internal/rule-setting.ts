import { assertInteger, assertOptions, assertSignal, raceSignal, throwIfAborted } from '@covey/core'
import { MAX_SLOW_MODE_MS } from '../constants.js'
import type { Room } from '../room.js'
import type { RoomRules } from '../rules.js'
import { leastRole } from './authority/rules.js'
import type { Draft, OpLog } from './op-log.js'
import type { WhileOpen } from './open-room.js'
import { forbidden, type OwnRole } from './own-role.js'
import { isWritingRole, RULE_NAMES, writeRules } from './room-rules.js'
import { encodeStruct } from './structs.js'

export interface RuleSettingInit {
  readonly log: OpLog
  readonly ownRole: OwnRole
  readonly whileOpen: WhileOpen
}

/** The rules that a room has for its members. */
export function createRuleSetting({ log, ownRole, whileOpen }: RuleSettingInit): Pick<Room, 'setRules'> {
  return {
    async setRules(rules, options = {}) {
      assertRules(rules, 'rules')
      assertOptions(options, 'options', ['signal'])
      assertSignal(options.signal, 'options.signal')
      throwIfAborted(options.signal)
      if (writeRules(rules).length === 0) return
      const setting = whileOpen(async () => {
        await ownRole.demand(leastRole('rules'), 'change the rules')
        const [written] = await log.append([draftRules(rules)])
        if (!written!.isAccepted) throw forbidden('The room did not take it.', 'Somebody changed roles meanwhile.')
      })
      await raceSignal(setting, options.signal)
    }
  }
}

export function draftRules(rules: Partial<RoomRules>): Draft {
  return { type: 'rules', payload: encodeStruct('rules', { rules: writeRules(rules) }) }
}

/** @throws {TypeError} */
export function assertRules(rules: Partial<RoomRules>, field: string): void {
  assertOptions(rules, field, [...RULE_NAMES])
  const { slowModeMs } = rules
  if (slowModeMs !== undefined) assertInteger(slowModeMs, `${field}.slowModeMs`, { min: 0, max: MAX_SLOW_MODE_MS })
  for (const name of ['broadcast', 'presence'] as const) {
    if (rules[name] !== undefined && typeof rules[name] !== 'boolean') throw new TypeError(`${field}.${name} must be true or false`)
  }
  for (const name of ['links', 'media'] as const) {
    if (rules[name] !== undefined && !isWritingRole(rules[name])) throw new TypeError(`${field}.${name} must be "member", "moderator" or "admin"`)
  }
}
