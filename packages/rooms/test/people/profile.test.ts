import { expect, onTestFinished, test } from 'vitest'
import { createMemorySecretStore, openIdentity, openPendingDevice, type LocalIdentity } from '@covey/identity'
import type { Member, Room } from '@covey/rooms'
import { OpType } from '../../src/internal/op.js'
import { createOwnProfile } from '../../src/internal/people/own-profile.js'
import { readProfile, signProfile } from '../../src/internal/people/signed-profile.js'
import { profileVersion } from '../../src/internal/people/tell-profile.js'
import { takeNote } from '../../src/internal/shelf/room-note.js'
import { decodeStruct, encodeStruct, type Structs } from '../../src/internal/structs.js'
import { admitHostile, appliedBy, foundBy, memberOf, startDevice } from '../support-apply.js'
import { bringToSleep, placeOf } from '../support-asleep.js'
import { codeOf, open, person, shareRoom, start, until, useLocalNetwork } from '../support.js'
import { memoryStore } from './memory-store.js'

const net = useLocalNetwork()
const AVATAR = { type: 'covey/file', version: 1, data: new Uint8Array([1, 2, 3]) }

/** Waits until a member is shown as `shown`. */
function showsAs(room: Room, id: string, shown: Partial<Member>): Promise<Member> {
  return until(room, async () => {
    const member = (await room.members()).find((one) => one.id === id)
    try {
      expect(member).toMatchObject(shown)
      return member
    } catch {
      // Not yet: the test runs into its limit if never.
      return undefined
    }
  })
}

test('a changed profile reaches every room, and whoever joins later', async () => {
  const [alice, bob, carol] = [await start(net, 'Alice'), await start(net, 'Bob'), await start(net, 'Carol')]
  const [tea, teaOfBob] = await shareRoom(alice, bob)
  const [coffeeOfBob, coffee] = await shareRoom(bob, alice)
  const { id } = alice.identity.identity
  await showsAs(teaOfBob!, id, { name: 'Alice', bio: '' })

  const profile = await alice.rooms.profile.set({ name: 'Alice L.', bio: 'tea\u202e, mostly', avatar: AVATAR })
  expect(profile).toEqual({ name: 'Alice L.', bio: 'tea, mostly', avatar: AVATAR })
  for (const room of [tea!, coffee!, teaOfBob!, coffeeOfBob!]) await showsAs(room, id, profile)

  const late = await carol.rooms.join(await coffeeOfBob!.createInvite())
  await showsAs(late, id, profile)
  // Something left out stays, and null takes it away.
  await alice.rooms.profile.set({ avatar: null })
  const member = await showsAs(late, id, { name: 'Alice L.', bio: 'tea, mostly' })
  await until(late, async () => ((await late.members()).find((one) => one.id === id)!.avatar === undefined ? true : undefined))
  expect(member.role).toBe('member')
})

test('a profile outlives a restart, and is told where nobody could be told', async () => {
  const alice = await person('Alice')
  const bob = await start(net, 'Bob')
  const first = await open(alice, net)
  const [, roomOfBob] = await shareRoom(first, bob)
  const { id } = first.identity.identity
  await showsAs(roomOfBob!, id, { name: 'Alice' })
  await bob.close()
  await first.rooms.profile.set({ name: 'Alicia' })
  await first.close()
  const again = await open(alice, net)
  expect(again.rooms.profile.get()).toEqual({ name: 'Alicia', bio: '' })
  const bobAgain = await open(bob.person, net)
  await showsAs(bobAgain.rooms.get(roomOfBob!.id)!, id, { name: 'Alicia' })
})

test('a profile that is set while rooms sleep, or fall asleep, is told there too', async () => {
  const alice = await start(net, 'Alice')
  const bob = await start(net, 'Bob')
  const [room, roomOfBob] = await shareRoom(alice, bob)
  const place = placeOf(alice, room!)
  const { id } = alice.identity.identity
  await bringToSleep(alice, room!)
  await alice.rooms.profile.set({ bio: 'set while it slept' })
  await showsAs(roomOfBob!, id, { bio: 'set while it slept' })
  await bringToSleep(alice, room!)
  // It stays asleep: what it knows is the newest.
  expect(place.note!.profile).toBeGreaterThan(0)
  await place.use(async () => undefined)
  const falling = place.rest()
  await alice.rooms.profile.set({ bio: 'set as it fell asleep' })
  await falling
  await showsAs(roomOfBob!, id, { bio: 'set as it fell asleep' })
})

test('what is no profile is refused', async () => {
  const { rooms } = await start(net)
  for (const change of [{ name: 'x'.repeat(257) }, { bio: 'x'.repeat(1_025) }, { avatar: { ...AVATAR, data: new Uint8Array(1_025) } }, { nick: '' }, { avatar: 'me.png' }, { name: 1 }]) {
    expect(await codeOf(() => rooms.profile.set(change as never)), JSON.stringify(change)).toBe('TypeError')
  }
  expect(rooms.profile.get()).toEqual({ name: '', bio: '' })
})

/** A member whose device says whatever it likes about its person. */
async function scene() {
  const [alice, bob] = [await startDevice(net), await startDevice(net)]
  const hers = await foundBy(alice)
  const his = await memberOf(hers, bob)
  async function say(version: number | null, body: Structs['profile-body']): Promise<boolean> {
    const payload = version === null ? {} : { payload: encodeStruct('profile-version', { version }) }
    const [op] = await his.log.append([{ type: 'profile', ...payload, body: encodeStruct('profile-body', body) }], { underEpoch: true })
    await appliedBy(hers, his.base.local.key, op!.id)
    return op!.isAccepted
  }
  const shown = async (): Promise<string> => {
    const { name, bio } = (await hers.room.members()).find(({ isSelf }) => !isSelf)!
    return `${name}|${bio}`
  }
  const signed = (version: number, name: string, by: LocalIdentity = bob.identity): Uint8Array => signProfile(by, { version, name, bio: 'bio' })
  return { hers, his, alice, bob, say, shown, signed }
}

test('the newest version counts, whatever is said again after it', async () => {
  const { say, shown, signed } = await scene()
  expect(await say(null, { name: 'old' })).toBe(true)
  expect(await shown()).toBe('old|')
  expect(await say(5, { signed: signed(5, 'five') })).toBe(true)
  for (const [version, name] of [[3, 'three'], [5, 'five again'], [0, 'zero']] as const) {
    expect(await say(version, { signed: signed(version, name) })).toBe(false)
  }
  expect(await say(null, { name: 'nameless' })).toBe(false)
  expect(await shown()).toBe('five|bio')
  expect(await say(6, { signed: signed(6, 'six') })).toBe(true)
  expect(await shown()).toBe('six|bio')
})

test('a profile that its person has not signed, or not so, shows nothing', async () => {
  const { say, shown, signed, alice, bob } = await scene()
  let version = 1
  const forged: Uint8Array[] = [
    // Of somebody else, whole: nobody speaks for another, nor as another.
    signed(0, 'Alice', alice.identity),
    new Uint8Array(100),
    signed(0, 'x').subarray(1)
  ]
  const { card } = decodeStruct('signed-profile', signed(0, 'card of another'))!
  forged.push(encodeStruct('signed-profile', { ...decodeStruct('signed-profile', signed(0, 'x'))!, card }))
  for (const bytes of forged) {
    // Which version a card has is in what is signed; the room goes by that of the op.
    expect(await say(++version, { signed: bytes })).toBe(true)
    expect(await shown()).toBe('|')
  }
  // An old card under a new version.
  expect(await say(++version, { signed: signed(1, 'old') })).toBe(true)
  expect(await say(++version, { name: 'unsigned' })).toBe(true)
  expect(await shown()).toBe('|')
  expect(await say(++version, { signed: signed(version, 'sound') })).toBe(true)
  expect(await shown()).toBe('sound|bio')
  expect(readProfile(signed(9, 'x'), bob.identity.identity.publicKey)).toMatchObject({ name: 'x', version: 9 })
  expect(readProfile(signed(9, 'x'), alice.identity.identity.publicKey)).toBeUndefined()
})

test('what a device has said that is out makes way, however far ahead its clock was', async () => {
  const [alice, bob] = [await startDevice(net), await startDevice(net)]
  const hers = await foundBy(alice)
  const { identity } = bob
  const device = { ...bob, profile: createOwnProfile(identity, memoryStore().store) }
  const his = await memberOf(hers, device)
  const pending = await openPendingDevice({ storage: createMemorySecretStore() })
  const phone = await pending.acceptCertificate(identity.certifyDevice(pending.createDeviceRequest()))
  onTestFinished(() => phone.close())
  const hostile = await admitHostile(hers, { ...(await startDevice(net)), identity: phone }, 'member')
  // Sealed for nobody: which version it is everybody reads.
  const id = await hostile.write({ type: OpType.profile, payload: encodeStruct('profile-version', { version: 8e15 }) }, new Uint8Array(64))
  await appliedBy(hers, hostile.key, id)
  await appliedBy(his, hostile.key, id)
  const { publicKey } = identity.identity
  expect(profileVersion((await hers.view.profile(publicKey))!.op)).toBe(8e15)

  const revocation = await identity.revokeDevice(phone.device.publicKey)
  const payload = encodeStruct('revoke-device', { identity: publicKey, device: phone.device.publicKey, revocation })
  await hers.log.append([{ type: 'revokeDevice', payload }])
  await his.until(async () => (await his.view.device(hostile.key))?.removed || undefined)
  // A room that sleeps is opened for it.
  expect((await takeNote(his, publicKey)).profile).toBe(0)
  await his.profile.set({ name: 'mine' })
  await showsAs(hers.room, identity.identity.id, { name: 'mine' })
  expect((await takeNote(his, publicKey)).profile).toBe(his.profile.current().profile.version)
})

test('a version that no clock gives is none, and no other device of the person takes up one far ahead', async () => {
  const { say, signed } = await scene()
  expect(await say(8.64e15 + 2, { signed: signed(8.64e15 + 2, 'never') })).toBe(false)
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  onTestFinished(() => identity.close())
  const kept = new Map<string, Uint8Array>()
  const own = createOwnProfile(identity, { get: (key) => kept.get(key), set: async (key, value) => void kept.set(key, value!), watch: () => () => undefined })
  await own.adopt(signProfile(identity, { version: Date.now() + 2 * 86_400_000, name: 'ahead', bio: '' }))
  expect(own.current().profile).toMatchObject({ version: 0, name: '' })
  const now = Date.now()
  await own.adopt(signProfile(identity, { version: now + 5_000, name: 'other device', bio: '' }))
  await own.adopt(signProfile(identity, { version: now, name: 'older', bio: '' }))
  expect(own.current().profile).toMatchObject({ version: now + 5_000, name: 'other device' })
  // What is set here follows it, though this clock is behind.
  await own.set({ name: 'here' })
  expect(own.current().profile).toMatchObject({ version: now + 5_001, name: 'here' })
})
