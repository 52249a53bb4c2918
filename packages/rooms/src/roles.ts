/** What a member may do, from least to most; each includes those before it. */
export type Role = 'reader' | 'member' | 'moderator' | 'admin' | 'owner'

const NUMBERS: Readonly<Record<Role, number>> = { reader: 1, member: 2, moderator: 3, admin: 4, owner: 5 }

export const ROLES = Object.keys(NUMBERS) as readonly Role[]

export function roleNumber(role: Role): number {
  return NUMBERS[role]
}

/** The role that goes by a number in ops and rows, or `undefined`. */
export function roleOf(number: number): Role | undefined {
  return ROLES.find((role) => NUMBERS[role] === number)
}

export function isAtLeast(role: Role, least: Role): boolean {
  return NUMBERS[role] >= NUMBERS[least]
}

export function assertRole(role: unknown, field: string): asserts role is Role {
  if (!ROLES.includes(role as Role)) throw new TypeError(`${field} must be one of ${ROLES.join(', ')}`)
}
