import { expect, test } from 'vitest'
import { fileContent, MAX_AVATAR_BYTES, type Member, type Peer, type Room } from 'covey'
import { createPeerProfile } from '../src/avatar.js'
import { codeOf, start, useLocalNetwork } from './support.js'

const net = useLocalNetwork()
const PNG = { type: 'image/png', data: new Uint8Array(MAX_AVATAR_BYTES).map((_, i) => i % 251) } as const

async function shareRoom(alice: Peer, bob: Peer): Promise<[Room, Room]> {
  const room = await alice.rooms.create({ name: 'Tea' })
  return [room, await bob.rooms.join(await room.createInvite())]
}

/** The other member, once they are as `check` wants. */
async function other(room: Room, check: (member: Member) => boolean): Promise<Member> {
  let wake = (): void => undefined
  const stop = room.on('update', () => wake())
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => (wake = resolve))
      const found = (await room.members()).find((member) => !member.isSelf && check(member))
      if (found !== undefined) return found
      await woken
    }
  } finally {
    stop()
  }
}

test('a picture reaches the others, and goes when another takes its place', async () => {
  const [alice, bob] = [await start({ network: net.network, name: 'Alice' }), await start({ network: net.network, name: 'Bob' })]
  const [, room] = await shareRoom(alice, bob)
  expect(await room.avatar(await other(room, ({ name }) => name === 'Alice'))).toBeUndefined()
  await alice.profile.set({ avatar: PNG })
  const shown = await other(room, ({ avatar }) => avatar !== undefined)
  expect(shown.name).toBe('Alice')
  expect(await room.avatar(shown)).toEqual(PNG)

  const small = { type: 'image/webp', data: new Uint8Array([7]) } as const
  await alice.profile.set({ avatar: small })
  expect(alice.files.list()).toHaveLength(1)
  const next = await other(room, ({ avatar }) => fileContent.read(avatar)?.size === 1)
  expect(await room.avatar(next)).toEqual(small)
  await alice.profile.set({ avatar: null })
  expect(alice.files.list()).toEqual([])
  expect(await room.avatar(await other(room, ({ avatar }) => avatar === undefined))).toBeUndefined()
})

test('a picture that is set stays, also where the one before it could not be let go', async () => {
  const alice = await start({ network: net.network, name: 'Alice' })
  await alice.profile.set({ avatar: PNG })
  const failing: typeof alice.files = {
    ...alice.files,
    open: (content) => ({ ...alice.files.open(content), forget: () => Promise.reject(new Error('the disk is gone')) })
  }
  const next = { type: 'image/webp', data: new Uint8Array([7]) } as const
  await expect(createPeerProfile(alice.rooms.profile, failing).set({ avatar: next })).rejects.toThrow('the disk is gone')
  const room = await alice.rooms.create({ name: 'Tea' })
  expect(await room.avatar(alice.profile.get(), { signal: AbortSignal.timeout(10_000) })).toEqual(next)
})

test('what is too large, or might run in a browser, is neither sent nor shown', async () => {
  const alice = await start({ network: net.network })
  for (const avatar of [
    { type: 'image/png', data: new Uint8Array(MAX_AVATAR_BYTES + 1) },
    { type: 'image/png', data: new Uint8Array() },
    { type: 'image/svg+xml', data: new Uint8Array(10) },
    { type: 'image/png', data: 'bytes' }
  ]) {
    expect(await codeOf(() => alice.profile.set({ avatar: avatar as never })), avatar.type).toBe('TypeError')
  }
  expect(alice.files.list()).toEqual([])
  const room = await alice.rooms.create({ name: 'Tea' })
  // What others say of theirs: looked at before anything of it is fetched.
  const offer = { signer: new Uint8Array(32), key: new Uint8Array(32), name: 'avatar', type: 'image/png', size: 1_000 }
  for (const change of [{ size: MAX_AVATAR_BYTES + 1 }, { type: 'image/svg+xml' }, { type: 'text/html' }, { size: 0 }]) {
    expect(await room.avatar({ avatar: fileContent.create({ ...offer, ...change }) })).toBeUndefined()
  }
  const { size: _, ...unsized } = offer
  expect(await room.avatar({ avatar: fileContent.create(unsized) })).toBeUndefined()
  expect(await room.avatar({ avatar: { type: 'covey/file', version: 1, data: new Uint8Array(5) } })).toBeUndefined()
  expect(alice.files.list()).toEqual([])
  // A sound one is waited for, until its signal.
  const signal = AbortSignal.timeout(100)
  await expect(room.avatar({ avatar: fileContent.create(offer) }, { signal })).rejects.toMatchObject({ name: 'TimeoutError' })
})
