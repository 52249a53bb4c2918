import { expect, onTestFinished } from 'vitest'
import { linkDevice, type DeviceLinking, type LinkDeviceInit, type LinkRequest, type Network, type Peer, type Room } from 'covey'
import { temporaryFolder } from './support.js'

/** How a new device comes, with a folder of its own. */
export async function phoneIn({ network }: { readonly network: Network }, change: Partial<LinkDeviceInit> = {}): Promise<LinkDeviceInit> {
  return { network, storage: await temporaryFolder(), deviceName: 'Phone', ...change }
}

export async function come(link: string, init: LinkDeviceInit): Promise<DeviceLinking> {
  const linking = await linkDevice(link, init)
  onTestFinished(() => linking.close())
  return linking
}

/** A new device that has come by a link, as both sides see it. */
export async function meet(peer: Peer, init: LinkDeviceInit): Promise<{ linking: DeviceLinking; request: LinkRequest }> {
  const asked = peer.devices.once('request')
  const linking = await come(await peer.devices.createLink(), init)
  return { linking, request: await asked }
}

export async function link(peer: Peer, init: LinkDeviceInit): Promise<Peer> {
  const { linking, request } = await meet(peer, init)
  expect(request).toMatchObject({ code: linking.code })
  const [linked] = await Promise.all([linking.confirmed(), peer.devices.confirm(request.id)])
  onTestFinished(() => linked.close())
  await linked.devices.synced()
  return linked
}

/** The room of an id on a peer, when it is there. */
export async function roomOf(peer: Peer, id: string): Promise<Room> {
  await expect.poll(() => peer.rooms.get(id)?.id, { timeout: 60_000 }).toBe(id)
  return peer.rooms.get(id)!
}

export async function kindsOf(room: Room): Promise<string[]> {
  const kinds: string[] = []
  for await (const { kind } of room.messages()) kinds.push(kind)
  return kinds
}
