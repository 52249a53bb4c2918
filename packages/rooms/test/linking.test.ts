import { expect, onTestFinished, test, vi } from 'vitest'
import { createMemorySecretStore, openIdentity, openPendingDevice } from '@covey/identity'
import { createNode, defineChannel, openStore, type Node } from '@covey/transport'
import type { LinkRequest } from '@covey/rooms'
import { randomBytes } from '../src/internal/crypto.js'
import { visit, type Guest } from '../src/internal/linking/guest.js'
import {
  codeOf,
  commitmentOf,
  decodeDeviceLink,
  encodeDeviceLink,
  linkChannel,
  proofOf,
  type DeviceLink,
  type LinkMessage
} from '../src/internal/linking/handshake.js'
import { createLinkHost, type LinkHost } from '../src/internal/linking/host.js'
import { startDevice, type Device } from './support-apply.js'
import { codeOf as errorOf, temporaryFolder, useLocalNetwork } from './support.js'

// The handshake alone: what somebody does who has the link, is in between, or speaks out of turn.

const net = useLocalNetwork()
const GRANT = { certificate: randomBytes(200), key: randomBytes(32), encryptionKey: randomBytes(32), name: 'Alice' }

interface Hosting {
  readonly device: Device
  readonly host: LinkHost
  readonly grant: ReturnType<typeof vi.fn>
  /** A link that is good for a minute. */
  link(): DeviceLink
  asked(): Promise<LinkRequest>
}

async function startHost(): Promise<Hosting> {
  const device = await startDevice(net)
  const grant = vi.fn(async () => GRANT)
  let tell: (request: LinkRequest) => void = () => undefined
  const host = createLinkHost({
    node: device.node,
    identity: device.identity.identity.publicKey,
    meetingPlace: null,
    grant,
    onrequest: (request) => tell(request),
    onend: () => undefined,
    onerror(error) {
      throw error
    }
  })
  onTestFinished(() => host.close())
  const asked = (): Promise<LinkRequest> => new Promise((resolve) => (tell = resolve))
  return { device, host, grant, link: () => decodeDeviceLink(host.createLink(60_000)), asked }
}

async function startNode(): Promise<Node> {
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  const node = createNode({ identity, store: await openStore(await temporaryFolder()), network: net.network })
  onTestFinished(() => node.close())
  return node
}

async function requestOf(deviceName: string): Promise<Uint8Array> {
  return (await openPendingDevice({ storage: createMemorySecretStore(), deviceName })).createDeviceRequest()
}

async function come(link: DeviceLink, request: Uint8Array, identity?: Uint8Array, node?: Node): Promise<Guest> {
  const guest = await visit({ node: node ?? (await startNode()), link, request, identity, timeoutMs: 60_000, signal: undefined })
  onTestFinished(() => guest.close())
  return guest
}

/** Somebody who has a link, and says what they like. */
async function intrude(link: DeviceLink) {
  const node = await startNode()
  node.addContact(link.device)
  const channel = node.channel(linkChannel, { peers: 'any' })
  const [peer] = [(await new Promise<{ peer: string }>((resolve) => void channel.once('open').then(resolve))).peer]
  const heard: LinkMessage[] = []
  const ended = channel.once('close').then(({ code }) => code)
  void (async () => {
    for await (const { message } of channel.messages()) heard.push(message)
  })()
  const ends = { host: link.device, guest: node.publicKey }
  return { node, link, channel, ends, heard, ended, say: (message: LinkMessage) => channel.send(peer, message) }
}

test('both sides show one code, and the grant comes when the person has confirmed', async () => {
  const { host, grant, link, asked } = await startHost()
  const request = asked()
  const guest = await come(link(), await requestOf('Phone'))
  expect(await request).toMatchObject({ code: guest.code, name: 'Phone' })
  expect(guest.code).toMatch(/^\d{6}$/)
  expect(grant).not.toHaveBeenCalled()
  const [granted] = await Promise.all([guest.granted(), host.confirm((await request).id)])
  expect(granted).toMatchObject(GRANT)
  expect(await errorOf(async () => host.confirm((await request).id))).toBe('LINK_REQUEST_NOT_FOUND')
})

test('somebody in between has two handshakes with two codes, whoever they say to be', async () => {
  const [alice, mallory] = [await startHost(), await startHost()]
  const victimsRequest = await requestOf('Phone')
  const [toAlice, toMallory] = [alice.asked(), mallory.asked()]
  // The victim scans a link that was put in the place of the right one, and what it shows is passed on.
  const victim = await come(mallory.link(), victimsRequest)
  await toMallory
  const between = await come(alice.link(), victimsRequest, undefined, await startNode())
  expect((await toAlice).code).toBe(between.code)
  expect((await toAlice).code).not.toBe(victim.code)
  expect(alice.grant).not.toHaveBeenCalled()
})

test('the code is one of all that both sides have seen', () => {
  const [host, guest, secret, identity, request, hostNonce, guestNonce] = Array.from({ length: 7 }, () => randomBytes(32))
  const seen = { host: host!, guest: guest!, secret: secret!, identity: identity!, request: request!, hostNonce: hostNonce!, guestNonce: guestNonce! }
  const code = codeOf(seen)
  for (const field of Object.keys(seen) as (keyof typeof seen)[]) {
    // Two of a million may be alike; three different ones are not, each time.
    const others = [1, 2, 3].map(() => codeOf({ ...seen, [field]: randomBytes(32) }))
    expect([field, others.every((other) => other === code)]).toEqual([field, false])
  }
})

test('a link is for one device, for as long as it says, and for nobody who does not have it', async () => {
  const { host, link, asked } = await startHost()
  const used = link()
  const request = asked()
  const first = await come(used, await requestOf('Phone'))
  expect(await errorOf(async () => come(used, await requestOf('Thief')))).toBe('LINK_USED')
  expect(host.requests()).toEqual([await request])
  await host.decline((await request).id)
  expect(await errorOf(() => first.granted())).toBe('LINK_REFUSED')
  expect(await errorOf(async () => come(used, await requestOf('Phone')))).toBe('LINK_USED')

  const over = decodeDeviceLink(host.createLink(1))
  await vi.waitUntil(() => Date.now() > over.expiresAt)
  expect(await errorOf(async () => come({ ...over, expiresAt: Date.now() + 60_000 }, await requestOf('Phone')))).toBe('LINK_EXPIRED')
  expect(await errorOf(async () => come({ ...link(), secret: randomBytes(16) }, await requestOf('Phone')))).toBe('LINK_TIMEOUT')
})

test('a device that is somebody’s already takes no other person', async () => {
  const { device, host, link } = await startHost()
  const { publicKey } = device.identity.identity
  expect(await errorOf(async () => come(link(), await requestOf('Phone'), randomBytes(32)))).toBe('LINK_REFUSED')
  expect(host.requests()).toEqual([])
  expect((await come(link(), await requestOf('Phone'), publicKey)).identity).toEqual(publicKey)
})

test('who is not bound to what it shows is turned away, and so is who speaks out of turn or again', async () => {
  const { host, link } = await startHost()
  const request = await requestOf('Phone')
  const nonce = randomBytes(32)
  const commitment = commitmentOf({ nonce, request })

  const changed = link()
  const grinder = await intrude(changed)
  await grinder.say({ type: 'hello', proof: proofOf(grinder.ends, changed.secret), commitment })
  await vi.waitUntil(() => grinder.heard.length === 1)
  expect(grinder.heard).toMatchObject([{ type: 'offer' }])
  // Another nonce than it was bound to: one that was found to give a code of its choice.
  await grinder.say({ type: 'reveal', nonce: randomBytes(32), request })
  expect(await grinder.ended).toBe('CHANNEL_CLOSED')

  const forged = link()
  const forger = await intrude(forged)
  const broken = Uint8Array.from(request, (byte, i) => (i === request.length - 1 ? byte ^ 1 : byte))
  await forger.say({ type: 'hello', proof: proofOf(forger.ends, forged.secret), commitment: commitmentOf({ nonce, request: broken }) })
  await forger.say({ type: 'reveal', nonce, request: broken })
  expect(await forger.ended).toBe('CHANNEL_CLOSED')

  const eager = await intrude(link())
  await eager.say({ type: 'reveal', nonce, request })
  expect(await eager.ended).toBe('CHANNEL_CLOSED')

  const repeated = link()
  const twice = await intrude(repeated)
  const hello = { type: 'hello', proof: proofOf(twice.ends, repeated.secret), commitment } as const
  await twice.say(hello)
  await twice.say(hello)
  expect(await twice.ended).toBe('CHANNEL_CLOSED')

  // What was said in one session proves nothing in another.
  const replayed = link()
  const listener = await intrude(replayed)
  const thief = await intrude(replayed)
  await thief.say({ type: 'hello', proof: proofOf(listener.ends, replayed.secret), commitment })
  expect(await thief.ended).toBe('CHANNEL_CLOSED')
  expect(host.requests()).toEqual([])
})

test('a device that goes as soon as it has said all is nobody to be confirmed', async () => {
  const { host, link, asked } = await startHost()
  const hasty = await intrude(link())
  const request = await requestOf('Phone')
  const nonce = randomBytes(32)
  await hasty.say({ type: 'hello', proof: proofOf(hasty.ends, hasty.link.secret), commitment: commitmentOf({ nonce, request }) })
  // In one batch with the hello: all of it is read when the channel has been closed.
  hasty.say({ type: 'reveal', nonce, request }).catch(() => undefined)
  await hasty.channel.close()
  // Who comes after it has been heard is listed alone.
  const next = asked()
  await come(link(), await requestOf('Tablet'))
  expect(await next).toMatchObject({ name: 'Tablet' })
  expect(host.requests()).toMatchObject([{ name: 'Tablet' }])
})

test('what is too large, or no message at all, ends the channel of who sent it, and nothing else', async () => {
  const { link, asked } = await startHost()
  const loose = defineChannel({ name: linkChannel.name, version: linkChannel.version, maxMessageBytes: 65_536 })
  for (const bytes of [new Uint8Array(), Uint8Array.of(0), Uint8Array.of(4, 9), Uint8Array.of(250, 1, 2), new Uint8Array(2_048).fill(9)]) {
    const node = await startNode()
    node.addContact(link().device)
    const channel = node.channel(loose, { peers: 'any' })
    const { peer } = await channel.once('open')
    const ended = channel.once('close')
    expect(await errorOf(() => channel.send(peer, new Uint8Array(2_049)))).toBe('MESSAGE_TOO_LARGE')
    await channel.send(peer, bytes)
    expect(await ended).toMatchObject({ code: 'MESSAGE_INVALID', isRemote: true })
    await node.close()
  }
  const request = asked()
  const guest = await come(link(), await requestOf('Phone'))
  expect((await request).code).toBe(guest.code)
})

test('a link comes back as it was, and is short enough for a small QR code', () => {
  const link = { device: randomBytes(32), secret: randomBytes(16), expiresAt: Date.now() + 600_000 }
  const text = encodeDeviceLink(link)
  expect(decodeDeviceLink(text)).toMatchObject(link)
  expect(text.length).toBeLessThan(128)
  expect(() => decodeDeviceLink(encodeDeviceLink({ ...link, secret: randomBytes(15) }))).toThrow(expect.objectContaining({ code: 'LINK_MALFORMED' }))
})
