import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import Autobase, { type ApplyHost, type OpenHost, type ViewStore } from 'autobase'
import b4a from 'b4a'
import BlindPairing from 'blind-pairing'
import type { MemberRequest } from 'blind-pairing-core'
import c from 'compact-encoding'
import Corestore from 'corestore'
import Hyperbee from 'hyperbee'
import Hypercore from 'hypercore'
import crypto from 'hypercore-crypto'
import HyperDB, { type Definition } from 'hyperdb'
import Builder from 'hyperdb/builder'
import NoiseWrap from 'hyperdht/lib/noise-wrap.js'
import createTestnet from 'hyperdht/testnet.js'
import Hyperschema from 'hyperschema'
import Hyperswarm, { type PeerInfo, type SwarmConnection } from 'hyperswarm'
import IdentityKey from 'keet-identity-key'
import Protomux from 'protomux'
import ProtomuxWakeup from 'protomux-wakeup'
import Rache from 'rache'
import sodium from 'sodium-universal'

export interface World {
  /** A live object for each class and each interface with behaviour, by `module#export`. */
  readonly specimens: Readonly<Record<string, readonly unknown[]>>
  close(): Promise<void>
}

const PACKAGE = dirname(dirname(fileURLToPath(import.meta.url)))

/** The peers are torn down while they are connected. */
function ignore(): void {}

async function makeDefinition(dir: string): Promise<{ builder: Builder; definition: Definition }> {
  const schema = Hyperschema.from(join(dir, 'schema'))
  schema.namespace('room').register({
    name: 'message',
    fields: [
      { name: 'id', type: 'string', required: true },
      { name: 'text', type: 'string', required: true }
    ]
  })
  Hyperschema.toDisk(schema)
  const builder = Builder.from(join(dir, 'schema'), dir)
  const { collections, indexes } = builder.namespace('room')
  collections.register({ name: 'message', schema: '@room/message', key: ['id'] })
  indexes.register({ name: 'by-text', collection: '@room/message', key: ['text'] })
  Builder.toDisk(builder, dir)
  await writeFile(join(dir, 'package.json'), '{"type":"module"}')
  const { default: definition } = (await import(pathToFileURL(join(dir, 'index.js')).href)) as {
    default: Definition
  }
  return { builder, definition }
}

export async function makeWorld(): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'covey-stack-types-'))
  // Generated code imports `hyperdb/runtime`, so it has to lie where that resolves.
  const generated = await mkdtemp(join(PACKAGE, 'node_modules', '.stack-types-'))
  const cleanUp: (() => Promise<unknown>)[] = [
    () => rm(dir, { recursive: true, force: true }),
    () => rm(generated, { recursive: true, force: true })
  ]
  const specimens: Record<string, unknown[]> = {}
  const add = (id: string, ...values: unknown[]): void => {
    ;(specimens[id] ??= []).push(...values)
  }

  // Two peers on a local DHT.
  const testnet = await createTestnet(3)
  cleanUp.push(() => testnet.destroy())
  const aliceStore = new Corestore(join(dir, 'alice'))
  const bobStore = new Corestore(join(dir, 'bob'))
  await Promise.all([aliceStore.ready(), bobStore.ready()])
  cleanUp.push(() => bobStore.close(), () => aliceStore.close())
  const core = aliceStore.get({ name: 'log' })
  await core.ready()
  await core.append([b4a.from('a'), b4a.from('b')])
  const copy = bobStore.get({ key: core.key ?? '' })
  await copy.ready()
  const relay = testnet.createNode()
  const alice = new Hyperswarm({ dht: testnet.createNode() })
  const bob = new Hyperswarm({ dht: testnet.createNode() })
  cleanUp.push(() => bob.destroy(), () => alice.destroy())
  alice.on('connection', (connection) => {
    connection.on('error', ignore)
    aliceStore.replicate(connection)
  })
  const met = new Promise<[SwarmConnection, PeerInfo]>((resolve) => {
    bob.on('connection', (connection, peer) => {
      connection.on('error', ignore)
      bobStore.replicate(connection)
      resolve([connection, peer])
    })
  })
  const topic = crypto.randomBytes(32)
  const announced = alice.join(topic)
  await announced.flushed()
  await bob.join(topic).flushed()
  const [connection, peerInfo] = await met
  const download = copy.download({ start: 0, end: 2 })
  await download.done()
  const status = alice.status(topic)
  const lookup = bob.dht.lookup(topic)
  await lookup.finished()
  const pool = relay.pool()
  add('hyperdht#default', alice.dht, relay)
  add('hyperdht#Server', alice.server)
  add('hyperdht#Query', lookup)
  add('hyperdht#ConnectionPool', pool)
  add('hyperdht/testnet.js#Testnet', testnet)
  add('hyperdht/lib/noise-wrap.js#default', new NoiseWrap(alice.keyPair, null))
  add('hyperswarm#default', alice, bob)
  add('hyperswarm#PeerInfo', peerInfo)
  add('hyperswarm#PeerDiscoverySession', announced)
  add('hyperswarm#PeerDiscovery', status)
  add('@hyperswarm/secret-stream#default', connection)
  add('@hyperswarm/secret-stream#RawStream', connection.rawStream, relay.createRawStream())
  add('hypercore#CorePeer', ...copy.peers)
  add('hypercore#Download', download)
  add('hypercore#default', core, copy, core.session())
  add('hypercore#Extension', core.registerExtension('covey/test'))
  add('hypercore#EncryptionProvider', await encrypted(aliceStore))
  add('hypercore#Manifest', core.manifest)
  add('hypercore#CoreInfo', await core.info())
  add('hypercore#AppendResult', await core.append(b4a.from('c')))
  add('hypercore-storage#default', aliceStore.storage)
  add('hypercore-storage#StorageAtom', aliceStore.storage.createAtom())
  add('rocksdb-native#default', aliceStore.storage.db)
  const batch = aliceStore.storage.db.write()
  cleanUp.push(async () => batch.destroy())
  add('rocksdb-native#WriteBatch', batch)
  add('corestore#default', aliceStore, aliceStore.namespace('x'))
  add('corestore#GroupNotify', aliceStore.notifyGroup(topic))
  add('corestore#OpenedCore', ...aliceStore.cores)
  const readStream = core.createReadStream()
  add('streamx#Readable', readStream)
  add('streamx#Writable', core.createWriteStream())
  add('streamx#Duplex', connection)

  // Channels over the connection.
  const mux = Protomux.from(connection)
  const channel = mux.createChannel({ protocol: 'covey/test' })
  add('protomux#default', mux)
  add('protomux#Channel', channel)
  add('protomux#Message', channel?.addMessage({ encoding: c.string }))
  channel?.open()
  const aliceWakeup = new ProtomuxWakeup()
  const wakeup = new ProtomuxWakeup()
  cleanUp.push(async () => (wakeup.destroy(), aliceWakeup.destroy()))
  for (const other of alice.connections) aliceWakeup.addStream(other)
  aliceWakeup.session(topic)
  wakeup.addStream(connection)
  add('protomux-wakeup#default', wakeup)
  const session = await new Promise((resolve) => {
    const opened = wakeup.session(topic, {
      onpeeradd: (peer) => {
        add('protomux-wakeup#WakeupPeer', peer)
        resolve(opened)
      }
    })
  })
  add('protomux-wakeup#WakeupSession', session)

  // Trees and tables.
  const bee = new Hyperbee(aliceStore.get({ name: 'bee' }))
  await bee.put(b4a.from('k'), b4a.from('v'))
  add('rache#default', new Rache({ maxSize: 8 }))
  add('hyperbee#default', bee)
  add('hyperbee#BeeBatch', bee.batch())
  add('hyperbee#BeeWatcher', bee.watch())
  add('hyperbee#EntryWatcher', await bee.getAndWatch(b4a.from('k')))
  add('hyperbee#BeeNode', await bee.get(b4a.from('k')))
  const { builder, definition } = await makeDefinition(generated)
  const db = HyperDB.bee(aliceStore.get({ name: 'db' }), definition)
  await db.insert('@room/message', { id: 'a', text: 'hello' })
  await db.flush()
  add('hyperdb#default', db, db.snapshot())
  add('hyperdb#Definition', definition)
  add('hyperdb#IndexStream', db.find('@room/by-text', { limit: 1 }))
  add('hyperdb/builder#default', builder)
  add('hyperdb/builder#BuilderNamespace', builder.namespace('other'))
  const { IndexEncoder } = await import('hyperdb/runtime')
  add('hyperdb/runtime#IndexEncoder', new IndexEncoder([]))

  // A base with an applied op.
  const base = new Autobase(aliceStore.namespace('base'), null, {
    encryptionKey: crypto.randomBytes(32),
    open: (views: ViewStore, host: OpenHost) => {
      add('autobase#ViewStore', views)
      add('autobase#OpenHost', host)
      return views.get('view')
    },
    apply: async (nodes, view, host: ApplyHost) => {
      add('autobase#ApplyHost', host)
      add('autobase#AutobaseNode', ...nodes)
      for (const node of nodes) await view.append(node.value)
      add('autobase#WriterState', await host.system.get(nodes[0]?.from.key ?? host.key))
    },
    update: (_view, changes) => {
      add('autobase#UpdateChanges', changes)
      add('autobase#ViewChange', changes.get('view'))
    }
  })
  await base.append(b4a.from('op'))
  await base.append(b4a.from('another'))
  add('autobase#default', base)
  add('autobase#SystemView', base.system)
  add('autobase#Head', ...base.heads())
  add('autobase#ViewInfo', ...base.views())
  add('autobase#Writer', base.localWriter, ...base.activeWriters)
  add('autobase#AppendBatch', base.batch())
  add('autobase#IndexedInfo', await base.getIndexedInfo())
  cleanUp.push(() => base.close())

  // Pairing, from the invite to both sides of an admission.
  const memberPairing = new BlindPairing(alice)
  const candidatePairing = new BlindPairing(bob)
  cleanUp.push(() => candidatePairing.close(), () => memberPairing.close())
  const invite = BlindPairing.createInvite(topic, { data: b4a.from('room') })
  const member = memberPairing.addMember({
    discoveryKey: invite.discoveryKey,
    onadd: (request: MemberRequest) => {
      add('blind-pairing-core#MemberRequest', request)
      request.open(invite.publicKey)
      request.confirm({ key: topic, additional: invite.additional })
    }
  })
  await member.flushed()
  const candidate = candidatePairing.addCandidate({ invite: invite.invite, userData: topic })
  add('blind-pairing-core#CandidateRequest', BlindPairing.createRequest(invite.invite, topic))
  add('blind-pairing-core#PairingResult', await candidate.pairing)
  add('blind-pairing-core#Invite', invite)
  add('blind-pairing-core#DecodedInvite', BlindPairing.decodeInvite(invite.invite))
  add('blind-pairing#default', memberPairing)
  add('blind-pairing#Member', member)
  add('blind-pairing#Candidate', candidate)

  const identity = await IdentityKey.from({ mnemonic: IdentityKey.generateMnemonic() })
  const proof = await identity.bootstrap(crypto.keyPair().publicKey)
  add('keet-identity-key#default', identity)
  add('keet-identity-key#KeyChain', identity.keyChain)
  add('keet-identity-key#VerifiedProof', IdentityKey.verify(proof, null))
  add('sodium-universal#default', sodium)
  add('hypercore-crypto#KeyPair', crypto.keyPair())

  return {
    specimens,
    async close() {
      for (const step of cleanUp.reverse()) await step()
    }
  }
}

async function encrypted(store: Corestore): Promise<unknown> {
  const core = store.get({ name: 'secret', encryption: { key: crypto.randomBytes(32) } })
  await core.ready()
  return core.encryption ?? Hypercore
}
