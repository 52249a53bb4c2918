// Membership, roles, seniority and voiding as the rules are told, in plain values. Nothing in here may
// call the code that it is held against: two who read the same rules have to come to the same answer.

export const RANK = { none: 0, reader: 1, member: 2, moderator: 3, admin: 4, owner: 5 } as const

/** What an op wants. People, devices, writers and invites go by names. */
export type Want =
  | { readonly type: 'create'; readonly identity: string; readonly device: string }
  | {
      readonly type: 'admit'
      readonly identity: string
      readonly device: string
      readonly writer: string
      readonly epoch: number
      readonly role: number
      readonly invite: string | undefined
      /** Whether the secret that was shown is of another invite. */
      readonly isForged: boolean
      /** Whether the author approves of the use of the invite, whose secret is not shown then. */
      readonly isApproved: boolean
    }
  | {
      readonly type: 'enter'
      readonly identity: string
      readonly device: string
      readonly epoch: number
      readonly invite: string
      readonly isForged: boolean
    }
  | {
      readonly type: 'addDevice'
      readonly identity: string
      readonly device: string
      readonly writer: string
      readonly epoch: number
      /** The device that certified it, where it was not the identity. */
      readonly issuer: string | undefined
    }
  | {
      readonly type: 'invite'
      readonly invite: string
      readonly role: number
      readonly uses: number | undefined
      readonly expiresAt: number | undefined
      readonly invitee: string | undefined
      readonly needsApproval: boolean
      readonly isPublic: boolean
    }
  | { readonly type: 'revokeInvite'; readonly invite: string }
  | { readonly type: 'settings' }
  | { readonly type: 'rules'; readonly broadcast: boolean }
  | { readonly type: 'leave' }
  | { readonly type: 'setRole'; readonly identity: string; readonly role: number; readonly seen: Seen }
  | { readonly type: 'remove'; readonly identity: string; readonly ban: boolean; readonly seen: Seen }
  | { readonly type: 'mute'; readonly identity: string; readonly muted: boolean }
  | { readonly type: 'unban'; readonly identity: string }
  | { readonly type: 'transfer'; readonly identity: string }
  | { readonly type: 'revokeDevice'; readonly identity: string; readonly device: string; readonly epoch: number }
  | { readonly type: 'equivocation'; readonly writer: string }

/** How much of each writer of the target the author says to have read. */
export type Seen = ReadonlyMap<string, number>

export interface Op {
  readonly writer: string
  /** The op is block `length - 1` of its writer. */
  readonly length: number
  readonly sentAt: number
  readonly want: Want
  /** Whether its writer is the one after whom the room is named. Default: it is {@link FOUNDER}. */
  readonly isFounder?: boolean
}

export interface ModelMember {
  readonly role: number
  readonly muted: boolean
  readonly minEpoch: number
}

export interface ModelDevice {
  readonly device: string
  readonly identity: string
  readonly isRemoved: boolean
  /** That it signed two pasts. */
  readonly isForked?: boolean
  readonly issuer?: string | undefined
}

export interface ModelInvite {
  readonly author: string
  readonly role: number
  readonly used: number
  readonly uses: number | undefined
  readonly expiresAt: number | undefined
  readonly invitee: string | undefined
  readonly needsApproval: boolean
  readonly isPublic: boolean
  readonly isRevoked: boolean
}

export interface ModelState {
  founded: boolean
  /** Who last changed the settings, by writer and length. */
  settings: string | undefined
  /** Whether readers write nothing. */
  isBroadcast: boolean
  readonly members: Map<string, ModelMember>
  readonly devices: Map<string, ModelDevice>
  readonly bans: Map<string, number>
  readonly invites: Map<string, ModelInvite>
}

/** What became of an op: `rank` is what its author was when it was its turn. */
export interface Outcome {
  readonly rank: number
  readonly verdict: 'done' | 'refused' | 'void'
  /** Whether it took away a role that somebody had. */
  readonly takes: boolean
}

export interface Replay {
  readonly state: ModelState
  readonly outcomes: readonly Outcome[]
}

function emptyState(): ModelState {
  return { founded: false, settings: undefined, isBroadcast: false, members: new Map(), devices: new Map(), bans: new Map(), invites: new Map() }
}

/** A removal, or a demotion, that makes void what its target did and it had not seen. */
export interface Cut {
  readonly at: number
  /** The rank of who cuts: only what was done with less is void. */
  readonly rank: number
}

/** Goes through the ops once, leaving out what the cuts make void. */
function replay(ops: readonly Op[], cuts: readonly Cut[], onop?: (at: number, state: ModelState) => void): Replay {
  const state = emptyState()
  const outcomes = ops.map((op, at): Outcome => {
    onop?.(at, state)
    const rank = rankOf(state, op.writer)
    const author = state.devices.get(op.writer)?.identity
    if (isVoid(ops, at, rank, author, cuts)) return { rank, verdict: 'void', takes: false }
    const { want } = op
    const takes = want.type === 'remove' || (want.type === 'setRole' && want.role < roleOf(state, want.identity))
    const done = step(state, op)
    return { rank, verdict: done ? 'done' : 'refused', takes: done && takes }
  })
  return { state, outcomes }
}

/** What is signed by who it is about: who brings it does not matter. */
export const IS_SIGNED_BY_SUBJECT: ReadonlySet<Want['type']> = new Set(['revokeDevice', 'enter', 'equivocation'])

function isVoid(ops: readonly Op[], at: number, rank: number, author: string | undefined, cuts: readonly Cut[]): boolean {
  const { writer, length, want } = ops[at]!
  if (author === undefined || IS_SIGNED_BY_SUBJECT.has(want.type)) return false
  return cuts.some((cut) => {
    const by = ops[cut.at]!.want
    if (by.type !== 'remove' && by.type !== 'setRole') return false
    return cut.at > at && rank < cut.rank && by.identity === author && length > (by.seen.get(writer) ?? 0)
  })
}

export function roleOf(state: ModelState, identity: string): number {
  return state.members.get(identity)?.role ?? RANK.none
}

/** What the identity of a writer is, as far as it is there and its device is. */
export function rankOf(state: ModelState, writer: string): number {
  const device = state.devices.get(writer)
  return device === undefined || device.isRemoved ? RANK.none : roleOf(state, device.identity)
}

const LEAST: Readonly<Record<Exclude<Want['type'], 'create' | 'enter'>, number>> = {
  admit: RANK.member,
  addDevice: RANK.reader,
  invite: RANK.moderator,
  revokeInvite: RANK.moderator,
  settings: RANK.admin,
  rules: RANK.admin,
  leave: RANK.reader,
  setRole: RANK.admin,
  remove: RANK.moderator,
  mute: RANK.moderator,
  unban: RANK.moderator,
  transfer: RANK.owner,
  revokeDevice: RANK.reader,
  equivocation: RANK.reader
}

/** Does what an op wants, if it may. */
export function step(state: ModelState, op: Op): boolean {
  const { writer, want } = op
  if (want.type === 'create') {
    if (state.founded || !(op.isFounder ?? writer === FOUNDER)) return false
    state.founded = true
    state.members.set(want.identity, { role: RANK.owner, muted: false, minEpoch: 0 })
    state.devices.set(writer, { device: want.device, identity: want.identity, isRemoved: false })
    return true
  }
  if (want.type === 'enter') return enter(state, op, want)
  const rank = rankOf(state, writer)
  if (rank === RANK.none || rank < LEAST[want.type] || isSilent(state, writer)) return false
  const author = state.devices.get(writer)!.identity
  return act(state, op, author, rank)
}

/** Whether nobody reads what a writer writes: it is a reader's, in a broadcast room. */
export function isSilent(state: ModelState, writer: string): boolean {
  return state.isBroadcast && rankOf(state, writer) === RANK.reader
}

/** The writer after whom the room is named. */
export const FOUNDER = 'i0d0'

function act(state: ModelState, op: Op, author: string, rank: number): boolean {
  const { want } = op
  const isBelow = (identity: string): boolean => roleOf(state, identity) >= RANK.reader && roleOf(state, identity) < rank
  const update = (identity: string, change: Partial<ModelMember>): true => {
    const fresh = { role: RANK.none, muted: false, minEpoch: 0 }
    state.members.set(identity, { ...fresh, ...state.members.get(identity), ...change })
    return true
  }
  switch (want.type) {
    case 'create':
    case 'enter':
      return false
    case 'admit':
      return admit(state, op, want, rank)
    case 'addDevice':
      // It becomes what the person is, who is there: the role given here is nobody's.
      return want.identity === author && letIn(state, op.sentAt, { ...want, role: RANK.reader, invite: undefined })
    case 'invite':
      if (want.role < RANK.reader || want.role >= rank || state.invites.has(want.invite)) return false
      // Nobody looks at who comes by a public invite: it is for the owner and admins to make, and makes nobody one who decides.
      if (want.isPublic && (rank < RANK.admin || want.role > RANK.member || want.needsApproval)) return false
      state.invites.set(want.invite, { ...pickInvite(want), author, used: 0, isRevoked: false })
      return true
    case 'revokeInvite': {
      const invite = state.invites.get(want.invite)
      if (invite === undefined || invite.isRevoked) return false
      state.invites.set(want.invite, { ...invite, isRevoked: true })
      return true
    }
    case 'settings':
      state.settings = `${op.writer}/${op.length}`
      return true
    case 'rules':
      state.isBroadcast = want.broadcast
      return true
    case 'leave':
      return rank !== RANK.owner && dismiss(state, author)
    case 'setRole':
      return isBelow(want.identity) && want.role >= RANK.reader && want.role < rank && update(want.identity, { role: want.role })
    case 'remove':
      if (!isBelow(want.identity)) return false
      if (want.ban) state.bans.set(want.identity, rank)
      return dismiss(state, want.identity)
    case 'mute':
      return isBelow(want.identity) && update(want.identity, { muted: want.muted })
    case 'unban':
      return (state.bans.get(want.identity) ?? RANK.owner + 1) <= rank && state.bans.delete(want.identity)
    case 'transfer':
      return isBelow(want.identity) && update(author, { role: RANK.admin }) && update(want.identity, { role: RANK.owner, muted: false })
    case 'revokeDevice': {
      const member = state.members.get(want.identity)
      if (member === undefined) return false
      for (const [writer, row] of state.devices) {
        if (row.identity !== want.identity || (row.device !== want.device && row.issuer !== want.device)) continue
        state.devices.set(writer, { ...row, isRemoved: true })
      }
      return update(want.identity, { minEpoch: Math.max(member.minEpoch, want.epoch) })
    }
    case 'equivocation': {
      const row = state.devices.get(want.writer)
      if (row === undefined) return false
      state.devices.set(want.writer, { ...row, isRemoved: true, isForked: true })
      return true
    }
  }
}

function pickInvite({ role, uses, expiresAt, invitee, needsApproval, isPublic }: Extract<Want, { type: 'invite' }>) {
  return { role, uses, expiresAt, invitee, needsApproval, isPublic }
}

/** Comes in by a public invite, with nobody to let them in. */
function enter(state: ModelState, { writer, sentAt }: Op, want: Extract<Want, { type: 'enter' }>): boolean {
  const invite = state.invites.get(want.invite)
  if (invite === undefined || !invite.isPublic || want.isForged) return false
  return letIn(state, sentAt, { ...want, writer, role: invite.role })
}

function admit(state: ModelState, { sentAt }: Op, want: Extract<Want, { type: 'admit' }>, rank: number): boolean {
  const { role, invite: id, isForged, isApproved } = want
  if (id === undefined) return rank >= RANK.admin && role < rank && letIn(state, sentAt, want)
  const invite = state.invites.get(id)
  if (invite === undefined || invite.role !== role) return false
  // To approve is for moderators, and for them alone: the secret does not let in without them, nor they without it being asked for.
  if (isApproved !== invite.needsApproval) return false
  if (isApproved ? rank < RANK.moderator || role >= rank : isForged) return false
  return letIn(state, sentAt, want)
}

interface Newcomer {
  readonly identity: string
  readonly device: string
  readonly writer: string
  readonly epoch: number
  readonly role: number
  readonly invite: string | undefined
  readonly issuer?: string | undefined
}

function letIn(state: ModelState, sentAt: number, { identity, device, writer, epoch, role, invite: id, issuer }: Newcomer): boolean {
  if (role < RANK.reader || role >= RANK.owner || state.bans.has(identity)) return false
  const known = state.devices.get(writer)
  // A writer comes back as what it was, or not at all.
  if (known !== undefined && (!known.isRemoved || known.isForked || known.device !== device || known.identity !== identity)) return false
  const member = state.members.get(identity)
  if (epoch < (member?.minEpoch ?? 0)) return false
  const invite = id === undefined ? undefined : state.invites.get(id)
  if (invite !== undefined) {
    if (invite.isRevoked) return false
    // An invite is worth what its author is now.
    if (roleOf(state, invite.author) <= role) return false
    if (invite.uses !== undefined && invite.used >= invite.uses) return false
    // A request that waits for approval may wait for longer than it could be made.
    if (!invite.needsApproval && invite.expiresAt !== undefined && sentAt >= invite.expiresAt) return false
    if (invite.invitee !== undefined && invite.invitee !== identity) return false
    state.invites.set(id!, { ...invite, used: invite.used + 1 })
  }
  if (roleOf(state, identity) === RANK.none) {
    state.members.set(identity, { muted: false, minEpoch: 0, ...member, role })
  }
  state.devices.set(writer, { device, identity, isRemoved: false, issuer })
  return true
}

function dismiss(state: ModelState, identity: string): true {
  const member = state.members.get(identity)
  if (member !== undefined) state.members.set(identity, { ...member, role: RANK.none })
  for (const [writer, row] of state.devices) {
    if (row.identity === identity) state.devices.set(writer, { ...row, isRemoved: true })
  }
  return true
}

/** An answer: what became of every op, and the cuts that are in force. */
export interface Resolved extends Replay {
  readonly cuts: readonly Cut[]
}

/**
 * Takes the cuts in the order of the room. One is in force if it takes nothing from those who stand as
 * high as its author, or higher: neither what they had done by then, nor what they were.
 */
export function resolve(ops: readonly Op[]): Resolved {
  let cuts: readonly Cut[] = []
  let run = replay(ops, cuts)
  for (let at = 0; at < ops.length; ) {
    const tried = isOpen(ops, run, cuts, at) ? attempt(ops, run, cuts, at) : undefined
    if (tried === undefined) {
      at++
      continue
    }
    // What was turned down before may be right now.
    ;({ cuts, run } = tried)
    at = 0
  }
  return { ...run, cuts }
}

/** Whether the op at this place is a cut that is not in force and has something to make void. */
function isOpen(ops: readonly Op[], { outcomes }: Replay, cuts: readonly Cut[], at: number): boolean {
  const { want } = ops[at]!
  if (!outcomes[at]!.takes || cuts.some((cut) => cut.at === at)) return false
  if (want.type !== 'remove' && want.type !== 'setRole') return false
  let isUseful = false
  replay(ops, cuts, (before, state) => {
    const { writer, length } = ops[before]!
    if (before >= at) return
    if (state.devices.get(writer)?.identity !== want.identity || outcomes[before]!.verdict !== 'done') return
    if (length > (want.seen.get(writer) ?? 0)) isUseful = true
  })
  return isUseful
}

function attempt(ops: readonly Op[], run: Replay, cuts: readonly Cut[], at: number): { cuts: readonly Cut[]; run: Replay } | undefined {
  const { rank } = run.outcomes[at]!
  const standing = standingAt(ops, cuts, at)
  const isSenior = (i: number): boolean => i < at && run.outcomes[i]!.verdict === 'done' && run.outcomes[i]!.rank >= rank
  let trial: readonly Cut[] = [...cuts, { at, rank }]
  for (;;) {
    const next = replay(ops, trial)
    const holds = (i: number, least: number): boolean => next.outcomes[i]!.verdict === 'done' && next.outcomes[i]!.rank >= least
    if (!next.outcomes[at]!.takes || next.outcomes[at]!.rank !== rank) return undefined
    if (run.outcomes.some((before, i) => isSenior(i) && !holds(i, before.rank))) return undefined
    const now = standingAt(ops, trial, at)
    if ([...standing].some(([who, role]) => role >= rank && (now.get(who) ?? 0) < role)) return undefined
    const left = trial.filter((cut) => next.outcomes[cut.at]!.takes && next.outcomes[cut.at]!.rank >= cut.rank)
    if (left.length === trial.length) return { cuts: trial, run: next }
    trial = left
  }
}

/** What everybody, and every device, is just before the op at `at`. */
function standingAt(ops: readonly Op[], cuts: readonly Cut[], at: number): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  replay(ops, cuts, (before, state) => {
    if (before !== at) return
    for (const [identity, { role }] of state.members) found.set(identity, role)
    for (const writer of state.devices.keys()) found.set(writer, rankOf(state, writer))
  })
  return found
}
