import type HyperDB from 'hyperdb'
import type { ViewStore } from 'autobase'
import definition from '../../spec/db/index.js'
import { openSharing } from './guards/share-blocks.js'
import type { Structs } from './structs.js'

/** The name of the view's core. A view that has to be built anew gets another. */
export const VIEW_CORE = 'view'

/**
 * For the few rows of one key: without a limit hyperbee 2.27.3 reads ahead, of what comes after them too (iterators/range.js:96),
 * which somebody who has just come in would have to download.
 */
const NO_MORE = 2 ** 31

/** So many messages are looked up side by side. */
const MAX_AT_ONCE = 64

export type MetaRow = Structs['meta']
export type WriterRow = Structs['writer']
export type AuthorityRow = Structs['authority']
export type RoomRow = Structs['room']
export type MemberRow = Structs['member']
export type DeviceRow = Structs['device']
export type BanRow = Structs['ban']
export type ProfileRow = Structs['profile']
export type InviteRow = Structs['invite-row']
export type KnockRow = Structs['knock-row']
export type EpochRow = Structs['epoch']
export type GrantRow = Structs['grant-row']
export type KeyRequestRow = Structs['key-request']
export type CommitmentRow = Structs['commitment']
export type MessageRow = Structs['message']
export type MessageStateRow = Structs['message-state']
export type EditRow = Structs['edit']
export type ReactionRow = Structs['reaction']
export type VoteRow = Structs['vote']
export type PinRow = Structs['pin']
export type ThreadMessageRow = Structs['thread-message']
export type PaceRow = Structs['pace']
export type ActRow = Structs['act']
export type ReportRow = Structs['message-report']
export type ReceiptRow = Structs['read-receipt']
export type CollectionRow = Structs['collection']
export type CollectionUsageRow = Structs['collection-usage']
export type EntryRow = Structs['entry']

/** The rows of a room's view, by collection. */
export interface Rows {
  meta: MetaRow
  /** How far each writer's core has been applied. */
  writers: WriterRow
  /** All ops about authority, allowed or not, in their order. */
  authority: AuthorityRow
  room: RoomRow
  /** Members, and former ones. */
  members: MemberRow
  /** Devices, and removed ones, by the writer core of each. */
  devices: DeviceRow
  bans: BanRow
  profiles: ProfileRow
  invites: InviteRow
  /** Who asks to be let in and has to be approved, by the writer core of each, and who says that they do. */
  knocks: KnockRow
  epochs: EpochRow
  grants: GrantRow
  /** Who says that it cannot open an epoch, and has not been granted it since. */
  'key-requests': KeyRequestRow
  commitments: CommitmentRow
  messages: MessageRow
  /** What has become of messages, where something has, by their order. */
  'message-states': MessageStateRow
  edits: EditRow
  reactions: ReactionRow
  /** What each person has voted last, by the message that asks. */
  votes: VoteRow
  pins: PinRow
  /** The messages of threads, by the order of the message that each begins with. */
  'thread-messages': ThreadMessageRow
  /** When each person wrote last, by their own clock, while the room is slow. */
  paces: PaceRow
  /** What was done to what others have said, for the record. */
  acts: ActRow
  /** What members have told moderators of, and none has dealt with. */
  reports: ReportRow
  /** Who may write to which collection of app data. */
  collections: CollectionRow
  'collection-usage': CollectionUsageRow
  entries: EntryRow
  /** How far members say to have read, by device. */
  'read-receipts': ReceiptRow
}

/** The view of a room: what the ops, in their order, add up to. Written by `apply` alone. */
export interface RoomView {
  readonly db: HyperDB
  /** @param version the length of the view's core to look back to. */
  meta(version?: number): Promise<MetaRow>
  writer(writer: Uint8Array): Promise<WriterRow | null>
  room(): Promise<RoomRow | null>
  member(identity: Uint8Array): Promise<MemberRow | null>
  device(writer: Uint8Array): Promise<DeviceRow | null>
  devicesOf(identity: Uint8Array): Promise<DeviceRow[]>
  /** Devices, removed ones too, in the order of their writers' keys. */
  devicesAfter(writer: Uint8Array | undefined, limit: number): Promise<DeviceRow[]>
  ban(identity: Uint8Array): Promise<BanRow | null>
  profile(identity: Uint8Array): Promise<ProfileRow | null>
  invite(id: Uint8Array): Promise<InviteRow | null>
  /** What members say of somebody who asks to be let in. */
  knocksOf(writer: Uint8Array): Promise<KnockRow[]>
  epoch(id: Uint8Array): Promise<EpochRow | null>
  /** The epochs, newest first. */
  epochs(limit: number): Promise<EpochRow[]>
  /** The same, one by one. */
  eachEpoch(limit: number): AsyncIterable<EpochRow>
  /** The epochs of a higher Lamport time, oldest first. */
  epochsAfter(lamport: number, limit: number): AsyncIterable<EpochRow>
  /** Of the first epoch with a key that is committed to, also where it is not there any more. */
  commitment(commitment: Uint8Array): Promise<CommitmentRow | null>
  grants(epoch: Uint8Array, writer: Uint8Array): Promise<GrantRow[]>
  /** Every device that was granted the key of an epoch after it began. */
  grantsOf(epoch: Uint8Array): Promise<GrantRow[]>
  keyRequest(epoch: Uint8Array, writer: Uint8Array): Promise<KeyRequestRow | null>
  /** All that a device asks for. */
  keyRequestsOf(writer: Uint8Array): Promise<KeyRequestRow[]>
  pace(identity: Uint8Array): Promise<PaceRow | null>
  report(id: Uint8Array): Promise<ReportRow | null>
  reportsBy(identity: Uint8Array): Promise<ReportRow[]>
  receipt(writer: Uint8Array): Promise<ReceiptRow | null>
  /** The ops about authority before a position, the last one first. */
  authorityBefore(position: number, limit: number): Promise<AuthorityRow[]>
  /** What was done to messages before a place, the last first. */
  actsBefore(position: number, number: number, limit: number): Promise<ActRow[]>
  message(id: Uint8Array): Promise<MessageRow | null>
  /** Messages of the orders `from` (included) to `to` (excluded), oldest first. */
  messages(from: number, to: number): Promise<MessageRow[]>
  messageState(order: number): Promise<MessageStateRow | null>
  /** Of messages of the orders `from` (included) to `to` (excluded), of which something has become. */
  messageStates(from: number, to: number): Promise<MessageStateRow[]>
  /** The versions of a message after the first, oldest first; those between the first ones and the newest are not kept. */
  edits(order: number): Promise<EditRow[]>
  lastEdit(order: number): Promise<EditRow | null>
  reactions(order: number): Promise<ReactionRow[]>
  reactionsBy(order: number, identity: Uint8Array): Promise<ReactionRow[]>
  vote(order: number, identity: Uint8Array): Promise<VoteRow | null>
  votes(order: number): Promise<VoteRow[]>
  reaction(order: number, identity: Uint8Array, id: Uint8Array): Promise<ReactionRow | null>
  /** The orders of the messages of a thread, but for the one that it begins with, oldest first. */
  threadOrders(root: number): Promise<number[]>
  collection(id: Uint8Array): Promise<CollectionRow | null>
  collectionUsage(id: Uint8Array): Promise<CollectionUsageRow | null>
  entry(collection: Uint8Array, key: Uint8Array): Promise<EntryRow | null>
  /** Entries of a collection by their keyed hashes, which is no order that means anything. */
  entries(collection: Uint8Array, options: { readonly after?: Uint8Array; readonly limit: number }): Promise<EntryRow[]>
  /** All rows of a collection, in the order of their keys. */
  all<Name extends keyof Rows>(collection: Name): Promise<Rows[Name][]>
  put<Name extends keyof Rows>(collection: Name, row: Rows[Name]): Promise<void>
  /** Deletes the row that has the key of `row`. */
  delete<Name extends keyof Rows>(collection: Name, row: Rows[Name]): Promise<void>
}

/** What each index leads to. */
const COLLECTION_OF = {
  'devices-by-identity': '@covey/devices',
  'messages-by-id': '@covey/messages',
  'epochs-by-id': '@covey/epochs',
  'reports-by-id': '@covey/reports'
} as const

export function openView(store: ViewStore): RoomView {
  const db = openSharing(store.get(VIEW_CORE), definition)
  /**
   * The rows that an index leads to.
   *
   * The defect, in hyperdb 6.8.0: of a row that was put since the last flush, and whose key in the index is
   * as before, `find` gives what was flushed. So what `apply` reads would be told by how the log is cut.
   */
  async function findIn<Row extends object>(index: keyof typeof COLLECTION_OF, key: object): Promise<Row[]> {
    const collection = COLLECTION_OF[index]
    const rows = await db.find<Row>(`@covey/${index}`, { gte: key, lte: key, limit: NO_MORE }).toArray()
    const newest = await Promise.all(rows.map(async (row) => (db.updated(collection, row) ? db.get<Row>(collection, row) : row)))
    return newest.filter((row) => row !== null)
  }

  /** Not by `get`, which lets go of its snapshot between the index and the row (hyperdb 6.8.0). */
  async function findBy<Row extends object>(index: keyof typeof COLLECTION_OF, id: Uint8Array): Promise<Row | null> {
    return (await findIn<Row>(index, { id }))[0] ?? null
  }

  /** Where blocks are missing, to ask for all rows at once takes as long as to ask for one. */
  async function messagesAtOnce(from: number, to: number): Promise<MessageRow[]> {
    const now = db.snapshot()
    try {
      const { messages } = (await now.get<MetaRow>('@covey/meta', {})) ?? { messages: 0 }
      const orders = Array.from({ length: Math.max(0, Math.min(to, messages) - from) }, (_, i) => from + i)
      const rows = await Promise.all(orders.map((order) => now.get<MessageRow>('@covey/messages', { order })))
      return rows.filter((row) => row !== null)
    } finally {
      await now.close()
    }
  }

  return {
    db,
    async meta(version) {
      const row = await db.get<MetaRow>('@covey/meta', {}, version === undefined ? {} : { checkout: version })
      return row ?? { messages: 0, authority: 0, skipped: 0 }
    },
    writer: (writer) => db.get('@covey/writers', { writer }),
    room: () => db.get('@covey/room', {}),
    member: (identity) => db.get('@covey/members', { identity }),
    device: (writer) => db.get('@covey/devices', { writer }),
    devicesOf: (identity) => findIn('devices-by-identity', { identity }),
    devicesAfter: (writer, limit) =>
      db.find<DeviceRow>('@covey/devices', { ...(writer && { gt: { writer } }), limit }).toArray(),
    ban: (identity) => db.get('@covey/bans', { identity }),
    profile: (identity) => db.get('@covey/profiles', { identity }),
    invite: (id) => db.get('@covey/invites', { id }),
    knocksOf: (writer) => db.find<KnockRow>('@covey/knocks', { gte: { writer }, lte: { writer }, limit: NO_MORE }).toArray(),
    epoch: (id) => findBy('epochs-by-id', id),
    epochs: (limit) => db.find<EpochRow>('@covey/epochs', { reverse: true, limit }).toArray(),
    eachEpoch: (limit) => db.find<EpochRow>('@covey/epochs', { reverse: true, limit }),
    grants: (epoch, writer) =>
      db.find<GrantRow>('@covey/grants', { gte: { epoch, writer }, lte: { epoch, writer }, limit: NO_MORE }).toArray(),
    grantsOf: (epoch) => db.find<GrantRow>('@covey/grants', { gte: { epoch }, lte: { epoch } }).toArray(),
    epochsAfter: (lamport, limit) => db.find<EpochRow>('@covey/epochs', { gte: { lamport: lamport + 1 }, limit }),
    commitment: (commitment) => db.get('@covey/commitments', { commitment }),
    keyRequest: (epoch, writer) => db.get('@covey/key-requests', { writer, epoch }),
    keyRequestsOf: (writer) => db.find<KeyRequestRow>('@covey/key-requests', { gte: { writer }, lte: { writer }, limit: NO_MORE }).toArray(),
    authorityBefore: (position, limit) =>
      db.find<AuthorityRow>('@covey/authority', { lt: { position }, reverse: true, limit }).toArray(),
    actsBefore: (position, number, limit) => {
      const lt = number === Infinity ? { position: position + 1 } : { position, number }
      return db.find<ActRow>('@covey/acts', { lt, reverse: true, limit }).toArray()
    },
    report: (id) => findBy('reports-by-id', id),
    reportsBy: (identity) => db.find<ReportRow>('@covey/reports', { gte: { identity }, lte: { identity } }).toArray(),
    receipt: (writer) => db.get('@covey/read-receipts', { writer }),
    pace: (identity) => db.get('@covey/paces', { identity }),
    message: (id) => findBy('messages-by-id', id),
    async messages(from, to) {
      if (db.core.contiguousLength < db.core.signedLength && to - from <= MAX_AT_ONCE) return messagesAtOnce(from, to)
      return db.find<MessageRow>('@covey/messages', { gte: { order: from }, lt: { order: to } }).toArray()
    },
    messageState: (order) => db.get('@covey/message-states', { order }),
    messageStates: (from, to) =>
      db.find<MessageStateRow>('@covey/message-states', { gte: { order: from }, lt: { order: to } }).toArray(),
    edits: (order) => db.find<EditRow>('@covey/edits', { gte: { order }, lte: { order } }).toArray(),
    lastEdit: (order) => db.findOne<EditRow>('@covey/edits', { gte: { order }, lte: { order }, reverse: true }),
    reactions: (order) => db.find<ReactionRow>('@covey/reactions', { gte: { order }, lte: { order } }).toArray(),
    reactionsBy: (order, identity) =>
      db.find<ReactionRow>('@covey/reactions', { gte: { order, identity }, lte: { order, identity } }).toArray(),
    vote: (order, identity) => db.get('@covey/votes', { order, identity }),
    votes: (order) => db.find<VoteRow>('@covey/votes', { gte: { order }, lte: { order } }).toArray(),
    reaction: (order, identity, id) => db.get('@covey/reactions', { order, identity, id }),
    async threadOrders(root) {
      const rows = await db.find<ThreadMessageRow>('@covey/thread-messages', { gte: { root }, lte: { root } }).toArray()
      return rows.map(({ order }) => order)
    },
    collection: (id) => db.get('@covey/collections', { id }),
    collectionUsage: (id) => db.get('@covey/collection-usage', { id }),
    entry: (collection, key) => db.get('@covey/entries', { collection, key }),
    entries: (collection, { after, limit }) =>
      db
        .find<EntryRow>('@covey/entries', { ...(after ? { gt: { collection, key: after } } : { gte: { collection } }), lte: { collection }, limit })
        .toArray(),
    all: <Name extends keyof Rows>(collection: Name) => db.find<Rows[Name]>(`@covey/${collection}`).toArray(),
    put: (collection, row) => db.insert(`@covey/${collection}`, row),
    delete: (collection, row) => db.delete(`@covey/${collection}`, row)
  }
}
