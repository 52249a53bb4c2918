import { FOUNDER, RANK, type ModelMember, type ModelState, type Op, type Want } from './ops.js'

/** Does what an op wants, if it may. */
export function step(state: ModelState, op: Op): boolean {
  const { writer, want } = op
  if (want.type === 'create') {
    if (state.founded || !(op.isFounder ?? writer === FOUNDER)) return false
    state.founded = true
    state.indexers = [writer]
    state.members.set(want.identity, { role: RANK.owner, muted: false, minEpoch: 0, namings: 0 })
    state.devices.set(writer, { device: want.device, identity: want.identity, isRemoved: false })
    return true
  }
  if (want.type === 'enter') return enter(state, op, want)
  const rank = rankOf(state, writer)
  if (rank === RANK.none || rank < LEAST[want.type] || isSilent(state, writer)) return false
  const author = state.devices.get(writer)!.identity
  return act(state, op, author, rank)
}

const LEAST: Readonly<Record<Exclude<Want['type'], 'create' | 'enter'>, number>> = {
  admit: RANK.member,
  addDevice: RANK.reader,
  invite: RANK.moderator,
  revokeInvite: RANK.moderator,
  settings: RANK.admin,
  mirrors: RANK.admin,
  rules: RANK.admin,
  leave: RANK.reader,
  setRole: RANK.admin,
  remove: RANK.moderator,
  mute: RANK.moderator,
  unban: RANK.moderator,
  transfer: RANK.owner,
  revokeDevice: RANK.reader,
  equivocation: RANK.reader,
  indexers: RANK.admin
}

export function roleOf(state: ModelState, identity: string): number {
  return state.members.get(identity)?.role ?? RANK.none
}

/** What the identity of a writer is, as far as it is there and its device is. */
export function rankOf(state: ModelState, writer: string): number {
  const device = state.devices.get(writer)
  return device === undefined || device.isRemoved ? RANK.none : roleOf(state, device.identity)
}

/** Whether nobody reads what a writer writes: it is a reader's, in a broadcast room. */
export function isSilent(state: ModelState, writer: string): boolean {
  return state.isBroadcast && rankOf(state, writer) === RANK.reader
}

function act(state: ModelState, op: Op, author: string, rank: number): boolean {
  const { want } = op
  const isBelow = (identity: string): boolean => roleOf(state, identity) >= RANK.reader && roleOf(state, identity) < rank
  const update = (identity: string, change: Partial<ModelMember>): true => {
    const fresh = { role: RANK.none, muted: false, minEpoch: 0, namings: 0 }
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
    case 'mirrors':
      state.mirrors = `${op.writer}/${op.length}`
      return true
    case 'rules':
      state.isBroadcast = want.broadcast
      return true
    case 'leave':
      return rank !== RANK.owner && dismiss(state, author)
    case 'setRole':
      return isBelow(want.identity) && want.role >= RANK.reader && want.role < rank && update(want.identity, { role: want.role })
    case 'remove':
      if (want.ban) return banish(state, want.identity, rank)
      return isBelow(want.identity) && dismiss(state, want.identity)
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
    case 'indexers': {
      if (state.members.get(author)!.muted || !want.writers.every((other) => mayIndex(state, other))) return false
      if (rank < RANK.owner) {
        // Nobody but the owner gets to sign alone, or twice where others sign once, or without the owner.
        if (want.writers.length === 1 || state.members.get(author)!.namings >= MAX_NAMINGS) return false
        const admins = want.writers.filter((other) => rankOf(state, other) === RANK.admin).map((other) => state.devices.get(other)!.identity)
        if (admins.some((identity, i) => admins.indexOf(identity) < i)) return false
        const owners = state.indexers.filter((other) => rankOf(state, other) === RANK.owner)
        if (!owners.every((other) => want.writers.includes(other))) return false
        state.members.set(author, { ...state.members.get(author)!, namings: state.members.get(author)!.namings + 1 })
      }
      state.indexers = want.writers
      return true
    }
  }
}

/** How often an admin names indexers. */
const MAX_NAMINGS = 16

function mayIndex(state: ModelState, writer: string): boolean {
  return rankOf(state, writer) >= RANK.admin
}

/** Who of those that were named may index now: all, or of two who are left of three the owner's, or the first. */
export function indexing(state: ModelState): readonly string[] {
  const left = state.indexers.filter((writer) => mayIndex(state, writer))
  if (left.length !== 2) return left
  return left.toSorted((a, b) => rankOf(state, b) - rankOf(state, a)).slice(0, 1)
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
    state.members.set(identity, { muted: false, minEpoch: 0, namings: 0, ...member, role })
  }
  state.devices.set(writer, { device, identity, isRemoved: false, issuer })
  return true
}

/** Who is below, or has gone; and by nobody who is not above who banned them before. */
function banish(state: ModelState, identity: string, rank: number): boolean {
  const member = state.members.get(identity)
  if (member === undefined || member.role >= rank || (state.bans.get(identity) ?? RANK.none) >= rank) return false
  state.bans.set(identity, rank)
  return dismiss(state, identity)
}

function dismiss(state: ModelState, identity: string): true {
  const member = state.members.get(identity)
  if (member !== undefined) state.members.set(identity, { ...member, role: RANK.none })
  for (const [writer, row] of state.devices) {
    if (row.identity === identity) state.devices.set(writer, { ...row, isRemoved: true })
  }
  return true
}
