// Writes ../spec from the description below: `pnpm --filter @covey/rooms schema`.
//
// What is on the wire and on disk is for ever. Structs may only grow at their end, by fields that are
// not required; op types, roles and collections keep their numbers; see docs/protocol.md.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import Hyperschema from 'hyperschema'
import HyperDB from 'hyperdb/builder'

const schemaFolder = fileURLToPath(new URL('../spec/schema', import.meta.url))
const dbFolder = fileURLToPath(new URL('../spec/db', import.meta.url))

const schema = Hyperschema.from(schemaFolder)
const covey = schema.namespace('covey')

const required = (name, type) => ({ name, type, required: true })
const optional = (name, type) => ({ name, type })
const list = (name, type) => ({ ...required(name, `@covey/${type}`), array: true })
const optionalList = (name, type) => ({ ...optional(name, `@covey/${type}`), array: true })
const structs = []
const struct = (name, ...fields) => {
  structs.push({ name, fields })
  covey.register({ name, fields })
}

// The clear part of every op.
struct(
  'op-header',
  required('type', 'uint'),
  required('sentAt', 'uint'),
  optional('previous', 'fixed32'),
  optional('target', 'fixed32'),
  optional('epoch', 'fixed32'),
  optional('payload', 'buffer')
)

// The payloads of ops, by type.
struct(
  'create',
  required('device', 'fixed32'),
  required('certificate', 'buffer'),
  required('statement', 'buffer'),
  required('writerKey', 'fixed32'),
  required('writerSignature', 'fixed64'),
  required('history', 'uint'),
  // The one other person of a direct room.
  optional('peer', 'fixed32')
)
struct('profile-version', required('version', 'uint'))
struct(
  'receipt',
  required('invite', 'fixed32'),
  required('publicKey', 'fixed32'),
  required('session', 'fixed32'),
  required('signature', 'fixed64')
)
struct(
  'admit',
  required('request', 'buffer'),
  required('role', 'uint'),
  optional('receipt', '@covey/receipt'),
  optional('approved', 'fixed32')
)
struct('add-device', required('request', 'buffer'))
struct('enter', required('request', 'buffer'), required('receipt', '@covey/receipt'))
struct('knock', required('writer', 'fixed32'), required('invite', 'fixed32'), optional('declined', 'bool'))
struct(
  'rotate',
  required('lamport', 'uint'),
  required('commitment', 'fixed32'),
  required('stateCommitment', 'fixed32'),
  required('ephemeral', 'fixed32'),
  required('slots', 'buffer'),
  optional('parents', 'buffer'),
  optional('states', 'buffer'),
  // How often a device was put out of the room, as far as the author knew.
  optional('removals', 'uint')
)
struct('grant', required('ephemeral', 'fixed32'), required('slots', 'buffer'))
struct('keep-epoch', required('writer', 'fixed32'), required('position', 'uint'), required('op', 'buffer'))
struct(
  'invite',
  required('id', 'fixed32'),
  required('publicKey', 'fixed32'),
  required('role', 'uint'),
  optional('expiresAt', 'uint'),
  optional('uses', 'uint'),
  optional('invitee', 'fixed32'),
  optional('approval', 'bool'),
  optional('public', 'bool')
)
struct('seen', required('writer', 'fixed32'), required('length', 'uint'))
struct('set-role', required('identity', 'fixed32'), required('role', 'uint'), list('seen', 'seen'))
struct('remove', required('identity', 'fixed32'), list('seen', 'seen'), optional('ban', 'bool'))
struct('unban', required('identity', 'fixed32'))
struct('mute', required('identity', 'fixed32'), optional('muted', 'bool'))
struct('transfer', required('identity', 'fixed32'))
// One tree of a writer's core that its key signed: its length, and what it is made of, from a shorter length on.
struct(
  'signed-tree',
  required('fork', 'uint'),
  required('length', 'uint'),
  required('nodes', 'buffer'),
  required('signature', 'fixed64')
)
struct(
  'equivocation',
  required('writer', 'fixed32'),
  required('signer', 'fixed32'),
  required('at', 'uint'),
  required('first', '@covey/signed-tree'),
  optional('second', '@covey/signed-tree')
)
// Which devices index: one, or three.
struct('indexers', { ...required('writers', 'fixed32'), array: true })
struct('revoke-device', required('identity', 'fixed32'), required('device', 'fixed32'), required('revocation', 'buffer'))

struct('unreact', required('reaction', 'fixed32'))
// What a room asks of its members: the number of a rule, and what it is set to.
struct('rule', required('rule', 'uint'), required('value', 'uint'))
struct('rules', list('rules', 'rule'))
// What a message says that it has in it, in bits: what is sealed, `apply` cannot look at.
struct('message-kinds', required('kinds', 'uint'))
// Who may write to a collection of app data. Its id, and the keys of its entries, are keyed hashes: see docs/protocol.md.
struct('collection', required('id', 'fixed32'), required('role', 'uint'))
struct('entry-name', required('collection', 'fixed32'), required('key', 'fixed32'))

// The sealed bodies, by type.
struct('mention', required('identity', 'fixed32'), required('start', 'uint'), required('length', 'uint'))
struct(
  'message-body',
  optional('text', 'string'),
  optional('content', 'string'),
  optional('version', 'uint'),
  optional('data', 'buffer'),
  optional('replyTo', 'fixed32'),
  optional('forwarded', 'bool'),
  optionalList('mentions', 'mention')
)
struct('reaction-body', required('emoji', 'string'))
struct('vote-body', { ...required('choices', 'uint'), array: true })
struct('entry-body', required('name', 'string'), required('version', 'uint'), required('value', 'buffer'))
struct('settings-body', optional('name', 'string'))
// Of the mirrors of a room, what their links carry: a key of 32 bytes, and where each can be met.
struct('mirrors-body', { ...required('mirrors', 'buffer'), array: true })
// What is reported, and why: for moderators.
struct('report-body', required('message', 'fixed32'), optional('reason', 'string'))
struct('profile-body', optional('name', 'string'), optional('signed', 'buffer'))
struct('knock-body', required('request', 'buffer'), required('receipt', '@covey/receipt'))

// What two devices say to each other before one is a member, and what a link carries.
struct(
  'join-request',
  required('writer', 'fixed32'),
  required('device', 'fixed32'),
  required('certificate', 'buffer'),
  required('statement', 'buffer'),
  required('writerKey', 'fixed32'),
  required('writerSignature', 'fixed64'),
  required('nonce', 'fixed32'),
  // For a direct room, and for no other.
  optional('direct', 'bool')
)
struct('knock-request', required('request', 'buffer'), optional('name', 'string'))
struct(
  'invite-link',
  required('seed', 'fixed32'),
  required('discoveryKey', 'fixed32'),
  optional('expiresAt', 'uint'),
  optional('approval', 'bool'),
  optional('key', 'fixed32'),
  optional('encryptionKey', 'fixed32'),
  // Of who made it, and the relays where that device can be met, as @covey/transport writes them.
  optional('device', 'fixed32'),
  optional('relays', 'buffer')
)

// What a person says of themselves, and that it is they who say so.
struct('profile-avatar', required('type', 'string'), required('version', 'uint'), required('data', 'buffer'))
struct(
  'profile-card',
  required('version', 'uint'),
  optional('name', 'string'),
  optional('bio', 'string'),
  optional('avatar', '@covey/profile-avatar')
)
struct(
  'signed-profile',
  required('card', 'buffer'),
  required('device', 'fixed32'),
  required('certificate', 'buffer'),
  required('statement', 'buffer')
)

// What two devices say to each other on the way to a direct room, by type.
struct(
  'dm-message',
  required('type', 'uint'),
  optional('sought', 'fixed32'),
  optional('certificate', 'buffer'),
  optional('profile', 'buffer'),
  optional('room', 'fixed32'),
  optional('request', 'buffer'),
  optional('key', 'fixed32'),
  optional('encryptionKey', 'fixed32')
)

// What a device knows of people, sealed, outside of the rooms.
struct('people-record', required('key', 'string'), optional('value', 'buffer'))
// One that was removed is kept, so that no other device brings it back.
struct(
  'contact',
  required('addedAt', 'uint'),
  optional('name', 'string'),
  optional('changedAt', 'uint'),
  optional('removed', 'bool')
)
struct('block', required('blockedAt', 'uint'), optional('changedAt', 'uint'), optional('removed', 'bool'))
struct(
  'report',
  required('reportedAt', 'uint'),
  required('identity', 'fixed32'),
  required('reason', 'string'),
  optional('room', 'string'),
  optional('message', 'string')
)
struct(
  'dm-record',
  required('state', 'uint'),
  required('at', 'uint'),
  optional('device', 'fixed32'),
  optional('profile', 'buffer')
)

// What who lets somebody in shows them of the room before they have it: the last messages, and what opens them.
struct('preview-key', required('epoch', 'fixed32'), optional('message', 'fixed32'), optional('state', 'fixed32'))
struct(
  'preview-message',
  required('writer', 'fixed32'),
  required('identity', 'fixed32'),
  required('device', 'fixed32'),
  // It is block `length - 1` of its writer.
  required('length', 'uint'),
  required('op', 'buffer'),
  optional('edits', 'uint'),
  // The newest version, and who wrote that.
  optional('edit', 'buffer'),
  optional('editWriter', 'fixed32')
)
struct('preview-profile', required('identity', 'fixed32'), required('writer', 'fixed32'), required('op', 'buffer'))
struct(
  'preview',
  // Of who shows it.
  required('writer', 'fixed32'),
  list('keys', 'preview-key'),
  list('messages', 'preview-message'),
  list('profiles', 'preview-profile'),
  optional('settings', 'buffer'),
  optional('settingsWriter', 'fixed32')
)

// What a device keeps of its rooms, sealed, outside of them.
struct(
  'room-record',
  required('namespace', 'fixed32'),
  required('discoveryKey', 'fixed32'),
  optional('key', 'fixed32'),
  // Of the personal room: that it is, and K0, where another device has told it.
  optional('personal', 'bool'),
  optional('encryptionKey', 'fixed32'),
  // This device is leaving it; without a key, it has, and what is left of it is to be cleared.
  optional('left', 'bool')
)

// What a device keeps of a room that is asleep: sealed, and taken away when it is opened.
struct('noted-head', required('key', 'fixed32'), required('length', 'uint'))
struct('noted-device', required('identity', 'fixed32'), required('device', 'fixed32'), required('writer', 'fixed32'), required('length', 'uint'), optional('removed', 'bool'), optional('minEpoch', 'uint'))
struct(
  'room-note',
  required('room', 'fixed32'),
  required('own', 'fixed32'),
  // K0, by which a bundle shows of which room it is.
  required('encryptionKey', 'fixed32'),
  list('heads', 'noted-head'),
  list('devices', 'noted-device'),
  { ...required('views', 'fixed32'), array: true },
  // Who it is shared with, of a direct room.
  optional('other', 'fixed32'),
  optional('admitted', 'bool'),
  // The links of the mirrors that the room names, where this device's person is a member.
  { ...required('mirrorLinks', 'string'), array: true },
  // Which version of its person's profile the room has.
  optional('profile', 'uint'),
  // Whether this device has no place in the log: then it tells the room nothing.
  optional('silent', 'bool')
)

// What a link says by which a device becomes one of a person's, and what the two devices say then.
struct(
  'device-link',
  required('device', 'fixed32'),
  required('secret', 'buffer'),
  required('expiresAt', 'uint'),
  // As in an invite link.
  optional('relays', 'buffer')
)
struct('link-hello', required('proof', 'fixed32'), required('commitment', 'fixed32'))
struct('link-offer', required('nonce', 'fixed32'), required('identity', 'fixed32'))
struct('link-reveal', required('nonce', 'fixed32'), required('request', 'buffer'))
struct(
  'link-grant',
  required('certificate', 'buffer'),
  required('key', 'fixed32'),
  required('encryptionKey', 'fixed32'),
  optional('name', 'string')
)

// What the devices of a person keep together, in messages of their room: one entry of a map.
struct('personal-entry', required('name', 'string'), optional('value', 'buffer'))
struct('personal-room-entry', required('key', 'fixed32'), required('encryptionKey', 'fixed32'), optional('left', 'bool'))

// How far somebody has read, on this device.
struct('read-mark', required('message', 'fixed32'), required('order', 'uint'))

// What this device has of the texts of a room, to search in: 512 messages by their order, sealed, outside of the room.
struct(
  'search-segment',
  required('ids', 'buffer'),
  required('versions', 'buffer'),
  required('writers', 'buffer'),
  required('by', 'buffer'),
  required('text', 'string')
)
struct('search-mark', required('settled', 'uint'), required('segments', 'uint'))

// The rows of the view.
struct(
  'meta',
  required('messages', 'uint'),
  required('authority', 'uint'),
  required('skipped', 'uint'),
  // Who wrote the last message, and how many up to it with nobody else in between.
  optional('speaker', 'fixed32'),
  optional('inARow', 'uint'),
  optional('acts', 'uint'),
  optional('reports', 'uint'),
  // How often a device was put out of the room.
  optional('removals', 'uint'),
  // How often it turned out that a device had never been let in.
  optional('voided', 'uint')
)
struct('writer', required('writer', 'fixed32'), required('length', 'uint'), optional('head', 'fixed32'), optional('acted', 'uint'))
struct(
  'authority',
  required('position', 'uint'),
  required('writer', 'fixed32'),
  required('length', 'uint'),
  required('op', 'buffer'),
  optional('refused', 'bool')
)
// What somebody did to what others said, before the so manieth op about authority.
struct(
  'act',
  required('position', 'uint'),
  required('number', 'uint'),
  required('writer', 'fixed32'),
  required('type', 'uint'),
  required('target', 'fixed32'),
  required('sentAt', 'uint')
)
struct(
  'room',
  required('createdAt', 'uint'),
  required('history', 'uint'),
  optional('settingsWriter', 'fixed32'),
  optional('settings', 'buffer'),
  // Of a direct room, the two whose it is.
  optional('founder', 'fixed32'),
  optional('peer', 'fixed32'),
  optionalList('rules', 'rule'),
  optional('mirrorsWriter', 'fixed32'),
  optional('mirrors', 'buffer'),
  // Which devices were named to index, the first of them the one that goes on alone.
  { ...optional('indexers', 'fixed32'), array: true }
)
struct(
  'member',
  required('identity', 'fixed32'),
  required('role', 'uint'),
  required('joinedAt', 'uint'),
  optional('muted', 'bool'),
  optional('minEpoch', 'uint'),
  // How often this person has named indexers, as an admin.
  optional('namings', 'uint')
)
struct(
  'device',
  required('writer', 'fixed32'),
  required('device', 'fixed32'),
  required('box', 'fixed32'),
  required('identity', 'fixed32'),
  required('position', 'uint'),
  optional('removed', 'bool'),
  optional('forked', 'bool'),
  // The device that certified it, where it was not the identity itself.
  optional('issuer', 'fixed32'),
  optional('silent', 'bool')
)
struct('message-report', required('identity', 'fixed32'), required('id', 'fixed32'), required('writer', 'fixed32'), required('op', 'buffer'))
// How far somebody says to have read, by device.
struct('read-receipt', required('writer', 'fixed32'), required('identity', 'fixed32'), required('message', 'fixed32'), required('sentAt', 'uint'))
// When somebody wrote last, by their own clock, while the room is slow.
struct('pace', required('identity', 'fixed32'), required('sentAt', 'uint'))
struct('ban', required('identity', 'fixed32'), required('role', 'uint'))
struct('profile', required('identity', 'fixed32'), required('writer', 'fixed32'), required('op', 'buffer'))
struct(
  'invite-row',
  required('id', 'fixed32'),
  required('publicKey', 'fixed32'),
  required('author', 'fixed32'),
  required('role', 'uint'),
  required('used', 'uint'),
  optional('expiresAt', 'uint'),
  optional('uses', 'uint'),
  optional('invitee', 'fixed32'),
  optional('revoked', 'bool'),
  optional('approval', 'bool'),
  optional('public', 'bool')
)
struct(
  'knock-row',
  required('writer', 'fixed32'),
  required('author', 'fixed32'),
  required('invite', 'fixed32'),
  required('op', 'buffer'),
  optional('declined', 'bool')
)
struct(
  'epoch',
  required('lamport', 'uint'),
  required('id', 'fixed32'),
  required('writer', 'fixed32'),
  required('position', 'uint'),
  required('op', 'buffer'),
  optional('removals', 'uint')
)
struct('commitment', required('commitment', 'fixed32'), required('position', 'uint'))
struct('key-request', required('writer', 'fixed32'), required('epoch', 'fixed32'))
struct(
  'grant-row',
  required('epoch', 'fixed32'),
  required('writer', 'fixed32'),
  required('id', 'fixed32'),
  required('ephemeral', 'fixed32'),
  required('sealed', 'buffer')
)
struct(
  'message',
  required('order', 'uint'),
  required('id', 'fixed32'),
  required('writer', 'fixed32'),
  required('op', 'buffer'),
  optional('thread', 'fixed32'),
  // It is block `length - 1` of its writer.
  optional('length', 'uint'),
  // Whose it is: who reads it need not look for its writer among all there are.
  optional('identity', 'fixed32'),
  optional('device', 'fixed32')
)
// What has become of a message, where something has; this and what follows goes by the message's order.
struct(
  'message-state',
  required('order', 'uint'),
  required('edits', 'uint'),
  required('reactions', 'uint'),
  required('reacted', 'uint'),
  required('replies', 'uint'),
  optional('pinned', 'bool'),
  optional('deletedBy', 'fixed32'),
  optional('votes', 'uint'),
  optional('closed', 'bool')
)
struct(
  'edit',
  required('order', 'uint'),
  required('number', 'uint'),
  required('writer', 'fixed32'),
  required('op', 'buffer')
)
struct(
  'reaction',
  required('order', 'uint'),
  required('identity', 'fixed32'),
  required('id', 'fixed32'),
  required('position', 'uint'),
  required('writer', 'fixed32'),
  required('op', 'buffer')
)
struct(
  'vote',
  required('order', 'uint'),
  required('identity', 'fixed32'),
  required('writer', 'fixed32'),
  required('op', 'buffer')
)
struct('pin', required('order', 'uint'), required('writer', 'fixed32'))
struct('thread-message', required('root', 'uint'), required('order', 'uint'))
// How much is in a collection, and a hash over all that was done to it.
struct(
  'collection-usage',
  required('id', 'fixed32'),
  required('entries', 'uint'),
  required('bytes', 'uint'),
  required('head', 'fixed32')
)
struct(
  'entry',
  required('collection', 'fixed32'),
  required('key', 'fixed32'),
  required('id', 'fixed32'),
  required('writer', 'fixed32'),
  required('op', 'buffer')
)

Hyperschema.toDisk(schema, schemaFolder, { esm: true })

const db = HyperDB.from(schemaFolder, dbFolder)
const view = db.namespace('covey')
const collection = (name, type, ...key) => view.collections.register({ name, schema: `@covey/${type}`, key })

collection('meta', 'meta')
collection('writers', 'writer', 'writer')
collection('authority', 'authority', 'position')
collection('room', 'room')
collection('members', 'member', 'identity')
collection('devices', 'device', 'writer')
collection('bans', 'ban', 'identity')
collection('profiles', 'profile', 'identity')
collection('invites', 'invite-row', 'id')
collection('epochs', 'epoch', 'lamport', 'id')
collection('commitments', 'commitment', 'commitment')
collection('grants', 'grant-row', 'epoch', 'writer', 'id')
collection('key-requests', 'key-request', 'writer', 'epoch')
collection('messages', 'message', 'order')
view.indexes.register({ name: 'devices-by-identity', collection: '@covey/devices', key: ['identity'] })
view.indexes.register({ name: 'messages-by-id', collection: '@covey/messages', key: ['id'], unique: true })
view.indexes.register({ name: 'epochs-by-id', collection: '@covey/epochs', key: ['id'], unique: true })
collection('knocks', 'knock-row', 'writer', 'author')
collection('message-states', 'message-state', 'order')
collection('edits', 'edit', 'order', 'number')
collection('reactions', 'reaction', 'order', 'identity', 'id')
collection('votes', 'vote', 'order', 'identity')
collection('pins', 'pin', 'order')
collection('thread-messages', 'thread-message', 'root', 'order')
collection('paces', 'pace', 'identity')
collection('acts', 'act', 'position', 'number')
collection('reports', 'message-report', 'identity', 'id')
view.indexes.register({ name: 'reports-by-id', collection: '@covey/reports', key: ['id'], unique: true })
collection('collections', 'collection', 'id')
collection('collection-usage', 'collection-usage', 'id')
collection('entries', 'entry', 'collection', 'key')
collection('read-receipts', 'read-receipt', 'writer')

HyperDB.toDisk(db, dbFolder, { esm: true })

// The types of the structs, for whoever encodes and decodes them.
const types = { uint: 'number', bool: 'boolean', string: 'string', fixed32: 'Uint8Array', fixed64: 'Uint8Array', buffer: 'Uint8Array' }
const typeOf = ({ type, array }) => {
  const name = types[type] ?? `Structs['${type.slice('@covey/'.length)}']`
  return array ? `readonly ${name}[]` : name
}
const field = (described) => {
  const { name, required } = described
  return required ? `    ${name}: ${typeOf(described)}` : `    ${name}?: ${typeOf(described)} | null`
}
const declare = ({ name, fields }) => `  '${name}': {\n${fields.map(field).join('\n')}\n  }`
writeFileSync(
  fileURLToPath(new URL('../spec/structs.ts', import.meta.url)),
  `// Written by schema/build.mjs.\nexport interface Structs {\n${structs.map(declare).join('\n')}\n}\n`
)
writeFileSync(
  fileURLToPath(new URL('../spec/schema/index.d.ts', import.meta.url)),
  `// Written by schema/build.mjs.
export function encode(name: string, value: object): Uint8Array
export function decode(name: string, bytes: Uint8Array): unknown
`
)
writeFileSync(
  fileURLToPath(new URL('../spec/db/index.d.ts', import.meta.url)),
  `// Written by schema/build.mjs.
import type { Definition } from 'hyperdb'
declare const definition: Definition
export default definition
`
)
