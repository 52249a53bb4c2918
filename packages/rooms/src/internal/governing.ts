import type { Room } from '../room.js'
import { createAuditLog, type AuditLogInit } from './audit-log.js'
import { createIndexSetting, type IndexSettingInit } from './index-setting.js'
import { createMirrorSetting } from './mirror-setting.js'
import { createModeration, type Moderation, type ModerationInit } from './moderation.js'
import { createReports, type ReportsInit } from './reports.js'
import { createRuleSetting, type RuleSettingInit } from './rule-setting.js'

export type GoverningInit = ModerationInit & RuleSettingInit & IndexSettingInit & AuditLogInit & ReportsInit

/** What members do by their role, what they are asked to do, and what is told of it. */
export function createGoverning(init: GoverningInit): Moderation & Pick<Room, 'setRules' | 'setIndexers' | 'setMirrors' | 'auditLog' | 'report' | 'reports' | 'resolveReport'> {
  return {
    ...createModeration(init),
    ...createRuleSetting(init),
    ...createIndexSetting(init),
    ...createMirrorSetting(init),
    ...createAuditLog(init),
    ...createReports(init)
  }
}
