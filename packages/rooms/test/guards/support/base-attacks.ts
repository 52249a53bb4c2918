import { pause } from './pause.js'
import { caps, ProtomuxWakeup, say, type Hostile, type World } from './world.js'

/** What an attacker does; the room is to live on. Names are those of the table in docs/guards.md. */
export const ATTACKS = {
  'duplicated-head': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    const [head] = world.owner.heads()
    await hostile.write({ heads: [head!, head!] })
  },
  'batch-zero': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    await hostile.write({ heads: world.owner.heads(), batch: 0 }, { heads: [hostile.own(2)] })
    await hostile.write({ heads: [hostile.own(2), hostile.own(3)] })
  },
  'batch-short': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    await hostile.write({ heads: world.owner.heads(), batch: 4 }, { heads: [hostile.own(2)], batch: 1 })
  },
  'batch-repeated': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    const heads = world.owner.heads()
    await hostile.write({ heads, batch: 2 }, { heads: [hostile.own(2)], batch: 2 }, { heads: [hostile.own(3)] })
  },
  'batch-endless': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    const block = (i: number): object => ({ heads: [hostile.own(i + 1)], batch: 2 ** 40 - i })
    await hostile.write(...Array.from({ length: 2_000 }, (_, i) => block(i)))
    for (let i = 0; i < 40; i++) {
      await pause(100)
      await world.owner.update()
      const held = [...world.owner.activeWriters].map((writer) => (writer as unknown as Holding).nodes.size)
      if (Math.max(...held) > 1_000) throw new Error(`${Math.max(...held)} blocks of one append are held`)
    }
  },
  'batch-torn': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    const before = world.owner.heads()
    await world.talk('meanwhile')
    await hostile.write({ heads: before, batch: 2 }, { heads: world.owner.heads(), batch: 1 })
  },
  'batch-optimistic': async (world) => {
    const names = Array.from({ length: 32 }, (_, i) => `writer ${i}`)
    const hostile = await world.hostileBelow(names, world.member.local.key)
    await hostile.behave()
    const heads = world.owner.heads()
    const first = hostile.own(2)
    world.disconnect()
    await say(world.member, 'between')
    await hostile.write({ heads, batch: 2, value: 'first' }, { heads: [first], optimistic: true, value: 'second' })
    world.connect()
    await world.until('it is read', async () => (await world.read(world.owner)).includes('between'))
    await pause(1_000)
    const lines = await world.read(world.member)
    if (lines.includes('first') && lines.indexOf('second') !== lines.indexOf('first') + 1) {
      throw new Error(`an append was torn: ${lines.slice(-4).join()}`)
    }
  },
  'batch-linked-inside': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    const length = world.member.local.length
    await say(world.member, 'one', 'two', 'three')
    const key = world.member.local.key
    await hostile.write({ heads: [{ key, length: length + 2 }] })
    await hostile.write({ heads: [hostile.own(), { key, length: length + 1 }] })
  },
  'trace-long': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    const blocks = Array.from({ length: 500_000 }, () => 0)
    await hostile.write({ heads: world.owner.heads(), trace: { system: blocks, encryption: [], user: [] } })
  },
  'core-of-version-2': async (world) => {
    const keyPair = await world.hostileStore.createKeyPair('v2')
    const manifest = { version: 2, signers: [{ publicKey: keyPair.publicKey }] }
    const core = world.hostileStore.get({ keyPair, manifest })
    await core.ready()
    await world.admit(core.key!)
    await core.append(Uint8Array.from([1, 0, 0, 0, 9, 0, 0, 0, 1, 2, 3, 4]))
  },
  'block-undecodable': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    await hostile.core.session({ valueEncoding: 'binary' }).append(Uint8Array.from([9, 9, 9]))
  },
  'block-empty': async (world) => {
    const core = world.hostileStore.get({ name: 'plain' })
    await core.ready()
    await world.admit(core.key!)
    await core.append([new Uint8Array(), Uint8Array.from([1, 2, 3])])
  },
  'block-of-version-1': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    // version 1, maxSupportedVersion, flags: checkpoints; no checkpoint, a digest of 0; no heads, batch, no value
    const block = [1, 0, 1, 0, 0, ...new Uint8Array(32), 0, 1, 0]
    await hostile.core.session({ valueEncoding: 'binary' }).append(Uint8Array.from(block))
  },
  'heads-many': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    const heads = Array.from({ length: 20_000 }, (_, i) => ({ key: numbered(i), length: 0 }))
    await hostile.write({ heads })
    await pause(3_000)
    const cores = await world.countCores(world.owner)
    if (cores > 100) throw new Error(`${cores} cores are on disk`)
  },
  'heads-empty': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    await hostile.write({ heads: Array.from({ length: 2_000 }, (_, i) => ({ key: numbered(i), length: 0 })) })
    await pause(2_000)
    await world.talk('meanwhile')
    const cores = await world.countCores(world.owner)
    if (cores > 100) throw new Error(`${cores} cores are on disk`)
  },
  'heads-own-future': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    await hostile.write({ heads: [hostile.own(hostile.core.length + 1)] }, { heads: [hostile.own(2 ** 50)] })
  },
  'heads-left-open': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    const [first] = world.owner.heads()
    await hostile.write(...Array.from({ length: 300 }, () => ({ heads: [first!] })))
    await world.until('the attacker is read', async () => (await world.read(world.member)).length > 300)
    await world.talk('merges')
    const most = Math.max(...(await world.headCounts()))
    if (most > 4) throw new Error(`one honest block has ${most} heads`)
  },
  'wakeup-strangers': async (world) => {
    const stream = world.linkHostile(world.owner)
    const wakeup = new ProtomuxWakeup()
    const session = wakeup.session(world.key, {
      onpeeradd: (peer: never) => {
        session.announce(peer, Array.from({ length: 3_000 }, (_, i) => ({ key: numbered(i), length: 5 })) as never)
      }
    } as never) as unknown as { announce(peer: never, hints: never): void }
    wakeup.addStream(stream as never)
    await pause(2_000)
    await world.owner.update()
    const { size } = world.owner.activeWriters
    if (size > 40) throw new Error(`${size} writers are open`)
  },
  none: async (world) => {
    for (let round = 0; round < 12; round++) {
      if (round % 3 === 0) world.disconnect()
      for (let i = 0; i < 8; i++) {
        const lines = Array.from({ length: 1 + ((round * 5 + i * 3) % 7) }, (_, j) => `${round} ${i} ${j}`)
        // Not one after another: what is in flight together becomes one append.
        await Promise.all([say(world.owner, ...lines), say(world.member, ...lines), say(world.member, 'more')])
      }
      if (round % 3 === 2) {
        world.connect()
        await world.talk(`round ${round}`)
      }
      if (round % 6 === 5) await world.restart()
    }
  },
  'value-not-json': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    await hostile.write({ heads: world.owner.heads(), value: '{' })
  },
  'value-odd': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    const values = [null, '', '{', '\0', 'x'.repeat(1_000_000)]
    for (const value of values) await hostile.write({ heads: world.owner.heads(), value })
  },
  'checkpoint-without-system': indexer(async (world, hostile, sign) => {
    await sign({ system: signed(1), encryption: null, user: [] })
    await sign({ system: null, encryption: signed(1), user: null })
  }),
  'checkpoint-without-user': indexer(async (world, hostile, sign) => {
    await sign({ system: signed(world.owner.indexedLength), encryption: null, user: null })
  }),
  'checkpoint-pointing-nowhere': indexer(async (world, hostile, sign) => {
    const nowhere = { checkpointer: 1, checkpoint: null }
    await sign({ system: signed(world.owner.indexedLength), encryption: null, user: [nowhere] })
  }),
  'checkpoint-forged': indexer(async (world, hostile, sign) => {
    await sign({ system: signed(world.owner.indexedLength), encryption: null, user: [signed(2)] })
  }),
  'digest-without-key': indexer(async (world, hostile, sign) => {
    const checkpoint = { system: signed(world.owner.indexedLength), encryption: null, user: [signed(2)] }
    await sign(checkpoint, { pointer: 0, key: null })
  }),
  'fast-forward-garbage': async (world) => {
    const core = world.hostileStore.get({ name: 'system', encryption: { key: caps.systemBlockKey(world.key), block: true } })
    await core.ready()
    for (let i = 0; i < 40; i++) await core.append(caps.brokenBeeEntry())
    const newcomer = await world.joinBy(core.key!)
    world.linkHostile(newcomer)
    await pause(2_000)
    world.link(newcomer, world.owner)
    await world.until('the newcomer reads', async () => (await world.read(newcomer)).includes('hello'))
    await newcomer.close()
  },
  'core-asked-for': async (world) => {
    await say(world.owner, 'names the member')
    const [founders, members] = [
      await world.storeWith(world.owner.local, 'founders'),
      await world.storeWith(world.member.local, 'members')
    ]
    const { newcomer, asked } = await world.joinAfterKill()
    // One peer asks for the member's core, and from another comes a block that names it.
    world.linkStore(newcomer, members)
    await asked
    world.linkStore(newcomer, founders)
    await world.until('the newcomer reads', async () => (await world.read(newcomer)).includes('names the member'))
    await newcomer.close()
  }
} satisfies Record<string, (world: World) => Promise<void>>

interface Holding {
  readonly nodes: { readonly size: number }
}

/** Those that stop a stock room; the others are oddities. */
export type AttackName = Exclude<keyof typeof ATTACKS, Oddity>

type Oddity =
  | 'batch-short'
  | 'batch-repeated'
  | 'block-undecodable'
  | 'block-empty'
  | 'block-of-version-1'
  | 'heads-own-future'
  | 'checkpoint-forged'
  | 'value-odd'
  | 'none'

function numbered(i: number): Uint8Array {
  const key = new Uint8Array(32).fill(3)
  new DataView(key.buffer).setUint32(0, i)
  return key
}

function signed(length: number): object {
  return { checkpointer: 0, checkpoint: { signature: new Uint8Array(64).fill(1), length } }
}

type Sign = (checkpoint: object, digest?: object) => Promise<void>

/** An indexer who behaves until it is one and the others wait for its signature, and then lies. */
function indexer(lie: (world: World, hostile: Hostile, sign: Sign) => Promise<void>): (world: World) => Promise<void> {
  return async (world) => {
    const hostile = await world.hostile('indexer', 'indexer')
    await hostile.behave()
    await world.until('the attacker indexes', async () => {
      await world.owner.update()
      return world.owner.system!.indexers.length === 2
    })
    await world.until('something waits to be signed', async () => {
      await hostile.write({ value: 'ack', heads: world.owner.heads() })
      await pause(100)
      await say(world.owner, 'ack')
      await pause(100)
      return world.owner.indexedLength > world.owner.core.signedLength
    })
    await lie(world, hostile, async (checkpoint, digest = { pointer: 0, key: world.owner.core.key }) => {
      await hostile.write({ value: null, heads: world.owner.heads(), checkpoint, digest })
      await pause(400)
      await world.owner.update()
    })
  }
}
