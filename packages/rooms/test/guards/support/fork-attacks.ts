// Writers who sign two pasts, and strangers who say that somebody did.
import { pause } from './pause.js'
import { say, type Hostile, type World } from './world.js'

/** What a member does who shows different people different blocks; the room is to live on, in one. */
export const FORK_ATTACKS = {
  /** One block each for the same place. Nobody's core can be told from the other's by its length. */
  'fork-same-length': async (world) => {
    const { one, other } = await twoFaced(world)
    await one.write({ value: 'to the owner', heads: world.owner.heads() })
    await other.write({ value: 'to the member', heads: world.member.heads() })
    await bothRead(world)
    world.disconnect()
    world.link(world.owner, world.member)
    await world.talk('apart')
  },
  /** The member builds on a block that the owner can never get. */
  'fork-longer': async (world) => {
    const { one, other } = await twoFaced(world)
    await one.write({ value: 'to the owner', heads: world.owner.heads() })
    await other.write({ value: 'to the member', heads: world.member.heads() })
    await other.write({ value: 'more to the member', heads: [other.own()] })
    await bothRead(world)
    await say(world.member, 'built on it')
    world.disconnect()
    world.link(world.owner, world.member)
    await world.talk('apart')
  },
  /** The member has read what the writer then takes back, and the owner reads what comes in its place. */
  'fork-truncated': async (world) => {
    const hostile = await world.hostile()
    await hostile.behave()
    world.disconnect()
    world.linkHostile(world.member)
    await hostile.write({ value: 'to the member', heads: world.member.heads() })
    await world.until('it is read', async () => (await world.read(world.member)).includes('to the member'))
    await hostile.core.truncate(1)
    await hostile.write({ value: 'to the owner', heads: world.owner.heads() })
    world.linkHostile(world.owner)
    // Guarded, nobody reads it.
    await pause(1_000)
    world.connect()
    await world.talk('apart')
  },
  /** A stranger who says that an honest writer signed two trees, by a proof with a node too many. */
  'conflict-invented': async (world) => {
    await world.talk('before')
    const core = world.hostileStore.get({ key: world.owner.local.key })
    await core.ready()
    await core.update({ wait: true })
    await core.get(0)
    const proof = await core.proof({ upgrade: { start: 0, length: core.length } })
    const junk = { index: 2 * core.length + 64, size: 1, hash: new Uint8Array(32).fill(1) }
    const upgrade = { ...proof.upgrade, nodes: [...proof.upgrade.nodes, junk] }
    for (const { wireData } of upstreamPeers(core)) wireData.send({ ...proof, request: 0, upgrade, manifest: core.manifest })
    await pause(1_000)
    await world.until('the owner writes', async () => (await say(world.owner, 'still here')) > 0)
  }
} satisfies Record<string, (world: World) => Promise<void>>

export type ForkAttackName = keyof typeof FORK_ATTACKS

/** A writer with two cores of the same key, one for the owner and one for the member. */
async function twoFaced(world: World): Promise<{ one: Hostile; other: Hostile }> {
  const one = await world.hostile()
  await one.behave()
  const twin = await world.twinStore()
  const other = await world.hostileCore(twin)
  await other.core.append((await one.core.get(0))!)
  world.disconnect()
  world.linkHostile(world.owner)
  world.linkStore(world.member, twin)
  return { one, other }
}

async function bothRead(world: World): Promise<void> {
  const reads = async (base: typeof world.owner, line: string): Promise<boolean> => (await world.read(base)).includes(line)
  await world.until('each reads their own', async () =>
    (await reads(world.owner, 'to the owner')) && (await reads(world.member, 'to the member'))
  )
}

interface UpstreamPeer {
  readonly wireData: { send(message: object): void }
}

function upstreamPeers(core: object): readonly UpstreamPeer[] {
  return (core as { core: { replicator: { peers: UpstreamPeer[] } } }).core.replicator.peers
}
