import {
  createResolver,
  resolve as resolveCode,
  seenLengths,
  takesAuthority,
  type Entry
} from '../../packages/rooms/src/internal/authority/resolve.js'
import { perform } from '../../packages/rooms/src/internal/authority/rules.js'
import { createMemoryState, type MemoryState } from '../../packages/rooms/src/internal/authority/state.js'
import { mapKey } from '../../packages/rooms/src/internal/map-key.js'
import { describeCode, describeModel, entryOf, type Resolve } from './code.js'
import { randomHistory, randomOrder, type Written } from './history.js'
import { IS_SIGNED_BY_SUBJECT, RANK, type ModelState } from './ops.js'
import { createPrng } from './prng.js'
import { resolve, type Outcome, type Resolved } from './resolve.js'
import { roleOf } from './step.js'

const MIN_OPS = 6
const MAX_OPS = 44
/** How many orders of a history are tried. */
const ORDERS = 2

/** Makes a history and holds the code against the model, in several orders. Throws where they differ. */
export async function proveHistory(seed: number, code: Resolve = resolveCode): Promise<void> {
  const random = createPrng(seed)
  const history = randomHistory(random, MIN_OPS + random.below(MAX_OPS - MIN_OPS))
  // As a room does: one that remembers, through all that is added and every reorder.
  const growing = code === resolveCode ? createResolver().resolve : code
  for (let i = 0; i < ORDERS; i++) {
    const ops = randomOrder(random, history)
    try {
      await proveOrder(ops, code, growing)
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${ops.map(describeOp).join('\n')}`, { cause: error })
    }
  }
}

async function proveOrder(ops: readonly Written[], code: Resolve, growing: Resolve): Promise<void> {
  // Who comes in by themselves, and is refused at their turn, has written nothing.
  const kept: Written[] = []
  const entries: Entry[] = []
  let view: MemoryState = createMemoryState()
  let before: Resolved = resolve([])
  for (const [at, op] of ops.entries()) {
    const entry = entryOf(op, entries.length)
    const applied = await apply(view, [...entries, entry], growing)
    const model = resolve([...kept, op])
    const isKept = op.want.type !== 'enter' || model.outcomes.at(-1)!.verdict === 'done'
    same(`after ${at + 1}, op by op`, await describeCode(applied), describeModel(isKept ? model.state : before.state))
    if (!isKept) continue
    view = applied
    kept.push(op)
    entries.push(entry)
    holds(kept, before, model)
    before = model
  }
  same('resolved at once', await describeCode(await code(entries)), describeModel(before.state))
  const half = kept.length >> 1
  const shorter = describeModel(resolve(kept.slice(0, half)).state)
  same('without its end', await describeCode(await growing(entries.slice(0, half))), shorter)
  await plain(entries, before)
}

/** What `apply` does with an entry: the last of `entries`, on the view of those before it. */
async function apply(view: MemoryState, entries: readonly Entry[], code: Resolve): Promise<MemoryState> {
  const { author, action } = entries.at(-1)!
  const hasUnseen = takesAuthority(action) && (await unseen(view, entries.slice(0, -1), action))
  const [own, theirs] = await ranks(view, entries.at(-1)!)
  if (!(await perform(view, author, action))) return view
  const isBan = action.type === 'remove' && action.ban
  if (ON_OTHERS.has(action.type) && !(own > theirs && (theirs > RANK.none || isBan))) {
    throw new Error(`${action.type}: ${own} acted on ${theirs}`)
  }
  return hasUnseen ? code(entries) : view
}

/** What may be done only to those whose role is below one's own; a ban also to who has none any more. */
const ON_OTHERS: ReadonlySet<string> = new Set(['setRole', 'remove', 'mute', 'transfer'])

/** What the author is, and what the target is. */
async function ranks(view: MemoryState, { author, action }: Entry): Promise<readonly [number, number]> {
  const rank = async (identity: Uint8Array | undefined) => (identity && (await view.member(identity))?.role) ?? RANK.none
  const target = 'identity' in action ? action.identity : undefined
  return [await rank((await view.device(author.writer))?.identity), await rank(target)]
}

/** As `apply` asks: whether more is known of the target's writers than the author had seen. */
async function unseen(view: MemoryState, entries: readonly Entry[], { identity, seen }: Extract<Entry['action'], { seen: unknown }>): Promise<boolean> {
  const lengths = seenLengths(seen)
  for (const { writer } of await view.devicesOf(identity)) {
    const key = mapKey(writer)
    const applied = Math.max(0, ...entries.filter(({ author }) => mapKey(author.writer) === key).map(({ length }) => length))
    if (applied > (lengths.get(key) ?? 0)) return true
  }
  return false
}

/** What must hold whatever the rules for conflicts are. */
function holds(ops: readonly Written[], { state: before }: Resolved, { state, outcomes, cuts }: Resolved): void {
  const owners = [...state.members.values()].filter(({ role }) => role === RANK.owner).length
  if (owners !== (state.founded ? 1 : 0)) throw new Error(`${owners} owners`)
  keepsOwner(ops.at(-1)!, outcomes.at(-1)!, before, state)
  for (const [at, { verdict, rank }] of outcomes.entries()) {
    if (verdict === 'done') actsDownward(ops[at]!, rank)
    if (verdict !== 'void') continue
    const isCut = cuts.some((cut) => cut.at > at && cut.rank > rank && outcomes[cut.at]!.verdict === 'done' && outcomes[cut.at]!.takes)
    if (!isCut) throw new Error(`op ${at + 1} is void by nobody who stands above it`)
  }
  for (const cut of cuts) {
    const { past, isHonest, want } = ops[cut.at]!
    if (!isHonest || (want.type !== 'remove' && want.type !== 'setRole')) continue
    const survivor = ops.slice(0, cut.at).findIndex(({ writer, length, want: { type } }, at) => {
      // Who came in by themselves may have come with the writer that was meant for another.
      const isTargets = state.devices.get(writer)?.identity === want.identity && length > (past.get(writer) ?? 0)
      return isTargets && !IS_SIGNED_BY_SUBJECT.has(type) && outcomes[at]!.verdict === 'done' && outcomes[at]!.rank < cut.rank
    })
    if (survivor !== -1) throw new Error(`op ${survivor + 1} survives op ${cut.at + 1}, which had not seen it`)
  }
}

/** Only the owner's own transfer makes another one. */
function keepsOwner({ want, writer }: Written, { verdict }: Outcome, before: ModelState, after: ModelState): void {
  const owner = [...before.members].find(([, { role }]) => role === RANK.owner)?.[0]
  if (owner === undefined || roleOf(after, owner) === RANK.owner) return
  const isOwn = want.type === 'transfer' && verdict === 'done' && before.devices.get(writer)?.identity === owner
  if (!isOwn) throw new Error('the owner is the owner no more, and did not want it')
}

function actsDownward({ want }: Written, rank: number): void {
  if (want.type === 'create' || want.type === 'enter') return
  const given = want.type === 'setRole' || want.type === 'invite' ? want.role : 0
  const directly = want.type === 'admit' && want.invite === undefined ? want.role : 0
  if (Math.max(given, directly) >= rank) throw new Error(`a role of ${given} was given with ${rank}`)
}

/** Nothing of what is void is left: without it, and with no voiding at all, the state is the same. */
async function plain(entries: readonly Entry[], { outcomes, state }: Resolved): Promise<void> {
  const rest = createMemoryState()
  for (const [at, { author, action }] of entries.entries()) {
    if (outcomes[at]!.verdict !== 'void') await perform(rest, author, action)
  }
  same('without what is void', await describeCode(rest), describeModel(state))
}

function same(when: string, code: string, model: string): void {
  if (code === model) return
  const [ours, theirs] = [code.split('\n'), model.split('\n')]
  const extra = ours.filter((line) => !theirs.includes(line)).map((line) => `  code:  ${line}`)
  const lacking = theirs.filter((line) => !ours.includes(line)).map((line) => `  model: ${line}`)
  throw new Error([`Code and model differ ${when}:`, ...extra, ...lacking].join('\n'))
}

function describeOp({ writer, length, want, isHonest, past }: Written, at: number): string {
  const text = JSON.stringify(want, (_, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value))
  return `${at + 1}. ${writer}/${length}${isHonest ? '' : ' (lies)'} ${text} past ${JSON.stringify(Object.fromEntries(past))}`
}
