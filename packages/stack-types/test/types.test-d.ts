// Checked by tsc alone (`tsc -p packages/stack-types`): what is right compiles, and each line below a
// `@ts-expect-error` does not. Nothing here runs.
import Autobase, { type AutobaseNode } from 'autobase'
import b4a from 'b4a'
import BlindPairing from 'blind-pairing'
import c, { type Encoding } from 'compact-encoding'
import Corestore from 'corestore'
import Hyperbee from 'hyperbee'
import Hypercore from 'hypercore'
import crypto from 'hypercore-crypto'
import HyperDB, { type Definition } from 'hyperdb'
import Builder from 'hyperdb/builder'
import HyperDHT from 'hyperdht'
import createTestnet from 'hyperdht/testnet.js'
import Hyperschema from 'hyperschema'
import Hyperswarm from 'hyperswarm'
import IdentityKey from 'keet-identity-key'
import Protomux from 'protomux'
import ProtomuxWakeup from 'protomux-wakeup'
import sodium from 'sodium-universal'
import z32 from 'z32'

declare const bytes: Uint8Array
declare const definition: Definition
declare function expectType<T>(value: T): void

// Named imports of values do not exist at runtime, so they must not compile.
// @ts-expect-error
export { Corestore as Named } from 'corestore'

// compact-encoding
const age: Encoding<number> = c.uint
expectType<Uint8Array>(c.encode(age, 3))
expectType<number>(c.decode(age, bytes))
// @ts-expect-error a string is no number
c.encode(c.uint, 'three')
// @ts-expect-error the wrong way round
c.decode(bytes, c.uint)

// sodium-universal
sodium.crypto_generichash(bytes, bytes, null)
sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(bytes, bytes, null, null, bytes, bytes)
expectType<boolean>(sodium.crypto_sign_verify_detached(bytes, bytes, bytes))
expectType<Promise<void>>(sodium.crypto_pwhash_async(bytes, bytes, bytes, 3, 268_435_456, 2))
// @ts-expect-error nsec is missing
sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(bytes, bytes, null, bytes, bytes)
// @ts-expect-error the arguments of `encrypt`, in `decrypt`
sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(bytes, bytes, bytes, null, bytes, bytes)
// @ts-expect-error text
sodium.crypto_generichash(bytes, 'text')
// @ts-expect-error misspelt
sodium.crypto_generic_hash(bytes, bytes)

// hypercore-crypto, z32, b4a
expectType<Uint8Array>(crypto.keyPair(bytes).secretKey)
expectType<string>(z32.encode(b4a.alloc(32)))
// @ts-expect-error a hex string is no seed
crypto.keyPair('00')
// @ts-expect-error signature and message only
crypto.verify(bytes, bytes)

// corestore and hypercore
const store = new Corestore('./store', { readOnly: true })
const core = store.namespace('room').get({ name: 'log', encryption: { key: bytes }, active: false })
const numbers = store.get({ key: bytes, valueEncoding: c.uint })
const tail = await numbers.get(3, { wait: false })
expectType<number | null>(tail)
expectType<Uint8Array | null>(await core.get(0, { timeout: 1_000 }))
expectType<Uint8Array | null>(await numbers.get(0, { raw: true }))
expectType<{ length: number; byteLength: number }>(await core.append([bytes, bytes]))
core.on('truncate', (length, fork) => expectType<number>(length + fork))
core.on('peer-add', (peer) => expectType<Uint8Array>(peer.remotePublicKey))
core.session({ snapshot: true, onwait: (index) => expectType<number>(index) })
store.get<unknown>({ name: 'json', valueEncoding: 'json' })
expectType<Uint8Array>(Hypercore.key({ signers: [{ publicKey: bytes }] }))
await core.clear(0, 4)
const left = store.replicate(true)
left.pipe(core.replicate(false)).pipe(left)
await core.download({ start: 0, end: -1 }).done()
// @ts-expect-error `encryptionKey` is on its way out; `encryption: { key }`
store.get({ name: 'log', encryptionKey: bytes })
// @ts-expect-error `get` drops user data
store.get({ name: 'log', userData: { a: bytes } })
// @ts-expect-error misspelt
store.get({ name: 'log', valueEncodings: c.uint })
// @ts-expect-error which core?
store.get()
// @ts-expect-error a primary key alone is no storage
new Corestore({ primaryKey: bytes })
// @ts-expect-error misspelt
new Corestore('./store', { readonly: true })
// @ts-expect-error an index is a number
await core.get('0')
// @ts-expect-error a core of bytes
await core.append({ text: 'hello' })
// @ts-expect-error no such event
core.on('appended', () => {})
// @ts-expect-error `append` carries no arguments
core.on('append', (length: number) => length)
// @ts-expect-error from -> start
core.download({ from: 0 })
// @ts-expect-error it may be null
expectType<Uint8Array>(await core.get(0))
// @ts-expect-error only its own sessions may write to it
core.length = 3

// hyperbee
const bee = new Hyperbee<string, unknown>(core, { keyEncoding: 'utf-8', valueEncoding: 'json' })
const entry = await bee.get('key')
expectType<string | undefined>(entry?.key)
for await (const node of bee.createReadStream({ gte: 'a' }, { limit: 3 })) expectType<number>(node.seq)
// @ts-expect-error keys are strings here
await bee.get(3)
// @ts-expect-error the codec does not make such keys
new Hyperbee<number>(core, { keyEncoding: 'utf-8' })
// @ts-expect-error from -> gte
bee.createReadStream({ from: 'a' })

// hyperdb
const db = HyperDB.bee(core, definition, { autoUpdate: true })
await db.insert('@room/message', { id: bytes, text: 'hello' })
for await (const row of db.find<{ id: Uint8Array }>('@room/message', { gte: { id: bytes }, limit: 5 })) {
  expectType<Uint8Array>(row.id)
}
expectType<{ id: Uint8Array } | null>(await db.findOne<{ id: Uint8Array }>('@room/message'))
await db.exclusiveTransaction()
// @ts-expect-error the record is missing
await db.insert('@room/message')
// @ts-expect-error a key is an object with the fields of the key
await db.get('@room/message', 'id')
// @ts-expect-error misspelt
db.find('@room/message', { limits: 3 })
// @ts-expect-error misspelt
HyperDB.bee(core, definition, { autoupdate: true })
const schema = Hyperschema.from('./schema')
schema.namespace('room').register({ name: 'message', fields: [{ name: 'id', type: 'buffer' }] })
const builder = Builder.from('./schema', './db')
builder.namespace('room').collections.register({ name: 'm', schema: '@room/message', key: ['id'] })
// @ts-expect-error the field of a collection is `key`
builder.namespace('room').collections.register({ name: 'm', schema: '@room/m', keys: ['id'] })

// hyperdht and hyperswarm
const dht = new HyperDHT({ bootstrap: [{ host: '127.0.0.1', port: 49_737 }] })
const stream = dht.connect(bytes, { localConnection: false })
stream.on('open', () => expectType<Uint8Array | null>(stream.handshakeHash))
stream.on('message', (message) => expectType<Uint8Array>(message))
stream.trySend(bytes)
const server = dht.createServer({ firewall: async (key) => key.byteLength !== 32 }, (incoming) => {
  expectType<Uint8Array>(incoming.remotePublicKey)
})
await server.listen(HyperDHT.keyPair(bytes))
for await (const found of dht.lookup(bytes)) expectType<Uint8Array | undefined>(found.peers[0]?.publicKey)
const testnet = await createTestnet(3)
expectType<{ host: string; port: number }[]>(testnet.bootstrap)
const swarm = new Hyperswarm({ dht, maxPeers: 16, firewall: (key) => key.byteLength !== 32 })
const discovery = swarm.join(bytes, { server: true, client: false })
expectType<boolean>(await discovery.flushed())
swarm.on('connection', (connection, peer) => {
  expectType<boolean>(peer.banned)
  store.replicate(connection)
})
// @ts-expect-error misspelt
swarm.join(bytes, { annouce: true })
// @ts-expect-error hex is no topic
swarm.join('aa'.repeat(32))
// @ts-expect-error misspelt
new Hyperswarm({ maxPeer: 16 })
// @ts-expect-error the swarm's firewall cannot wait
new Hyperswarm({ firewall: async () => true })
// @ts-expect-error no such event
swarm.on('connections', () => {})
// @ts-expect-error a misspelt DHT option
new HyperDHT({ bootstraps: [] })
// @ts-expect-error text must be encoded
stream.trySend('hello')
// @ts-expect-error the key pair is missing
dht.announce(bytes)
// @ts-expect-error no such method
dht.createRelay()

// protomux
const mux = Protomux.from(stream)
const channel = mux.createChannel<{ version: number }>({ protocol: 'covey/typing', id: bytes })
const message = channel?.addMessage({ encoding: c.string, onmessage: (text) => expectType<string>(text) })
message?.send('typing')
channel?.open({ version: 1 })
mux.pair({ protocol: 'covey/typing' }, (id) => expectType<Uint8Array | null>(id))
// @ts-expect-error a message of text
message?.send(3)
// @ts-expect-error the protocol is missing
mux.createChannel({ id: bytes })
// @ts-expect-error misspelt
channel?.addMessage({ encoding: c.string, onMessage: () => {} })
// @ts-expect-error null when one is open already
mux.createChannel({ protocol: 'covey/typing' }).open()

// autobase
const base = new Autobase(store.namespace('room'), null, {
  encryptionKey: bytes,
  ackInterval: 0,
  optimistic: true,
  fastForward: { key: bytes },
  wakeup: new ProtomuxWakeup(),
  open: (views) => HyperDB.bee(views.get('view'), definition, { autoUpdate: true, extension: false }),
  apply: async (nodes, view, host) => {
    for (const node of nodes) {
      expectType<AutobaseNode<Uint8Array>>(node)
      expectType<Uint8Array>(node.from.key)
      await view.insert('@room/op', { value: node.value })
      if (host.removeable(node.from.key)) await host.removeWriter(node.from.key)
      await host.addWriter(node.from.key, { indexer: false })
      if (node.optimistic) await host.ackWriter(node.from.key)
      await host.fork([node.from.key], { key: bytes, length: 3 })
    }
    await view.flush()
  },
  update: (_view, changes) => expectType<number | undefined>(changes.get('view')?.shared)
})
expectType<HyperDB>(base.view)
expectType<number>(await base.append(bytes, { optimistic: true }))
expectType<Uint8Array>(await Autobase.getLocalKey(store))
base.hintWakeup({ key: bytes, length: -1 })
base.on('interrupt', (reason) => expectType<unknown>(reason))
// @ts-expect-error misspelt
new Autobase(store, null, { fastforward: false })
// @ts-expect-error misspelt
new Autobase(store, null, { encryptionkey: bytes })
// @ts-expect-error no view of a room has such an op
await base.append({ text: 'hello' })
// @ts-expect-error it would index: say so
new Autobase(store, null, { apply: async (nodes, _view, host) => host.addWriter(bytes) })
// @ts-expect-error there is no such call
new Autobase(store, null, { apply: (nodes, _view, host) => host.addIndexer(bytes) })
// @ts-expect-error the host of `open` may not be used to write
new Autobase(store, null, { open: (_views, host) => host.addWriter(bytes, { indexer: false }) })
// @ts-expect-error a node has no `batch`
new Autobase(store, null, { apply: (nodes) => nodes.forEach((node) => node.batch) })
// @ts-expect-error no such event
base.on('updated', () => {})
// @ts-expect-error without a store
new Autobase({ optimistic: true })

// blind-pairing
const pairing = new BlindPairing(swarm)
const invite = BlindPairing.createInvite(bytes, { expires: Date.now() + 600_000, data: bytes })
pairing.addMember({
  discoveryKey: invite.discoveryKey,
  onadd: (request) => {
    request.open(invite.publicKey)
    request.confirm({ key: bytes, encryptionKey: bytes, additional: invite.additional })
    request.deny({ status: 2 })
  }
})
const candidate = pairing.addCandidate({ invite: invite.invite, userData: bytes })
candidate.request.on('rejected', (error) => expectType<string | undefined>(error.code))
expectType<Uint8Array | undefined>((await candidate.pairing)?.key)
// @ts-expect-error a member without a handler would admit nobody, in silence
pairing.addMember({ discoveryKey: bytes })
// @ts-expect-error misspelt
BlindPairing.createInvite(bytes, { expiry: 0 })
// @ts-expect-error the invite object is not what travels
pairing.addCandidate({ invite, userData: bytes })
// @ts-expect-error userData is missing
pairing.addCandidate({ invite: invite.invite })
// @ts-expect-error `rejected` is an event of the request
candidate.on('rejected', () => {})

// keet-identity-key
const identity = await IdentityKey.from({ mnemonic: IdentityKey.generateMnemonic() })
const proof = await identity.bootstrap(bytes)
expectType<Uint8Array>(IdentityKey.attestDevice(bytes, crypto.keyPair(), proof))
const verified = IdentityKey.verify(proof, null, { expectedIdentity: bytes, expectedDevice: bytes })
expectType<Uint8Array | undefined>(verified?.devicePublicKey)
// @ts-expect-error the README's spelling, which is ignored at runtime
IdentityKey.verify(proof, null, { expectedIdenity: bytes })
// @ts-expect-error say that there is no data: null
IdentityKey.verify(proof)
// @ts-expect-error neither a phrase nor a seed
await IdentityKey.from({})
// @ts-expect-error it may be null
expectType<Uint8Array>(IdentityKey.verify(proof, null).identityPublicKey)
// @ts-expect-error the first certificate is asynchronous
expectType<Uint8Array>(IdentityKey.attestDevice(bytes, crypto.keyPair()))
