import type { DirectMessages } from '@covey/rooms'
import type { Channel, Network } from '@covey/transport'
import { DM_CHANNEL, DmType, soughtTag, type DmMessage } from '../../src/internal/people/dm-message.js'
import { signProfile } from '../../src/internal/people/signed-profile.js'
import { startDevice } from '../support-apply.js'
import type { TestPeer } from '../support.js'

/** Somebody who says on the channel whatever they like. */
export async function hostile(net: { network: Network }, victim: Pick<TestPeer, 'node' | 'identity'>) {
  const device = await startDevice(net)
  const channel: Channel<DmMessage> = device.node.channel(DM_CHANNEL, { peers: 'any' })
  await device.node.connect(victim.node.publicKey)
  await channel.opened(victim.node.id)
  const heard: DmMessage[] = []
  const hears = (type: number): Promise<DmMessage> =>
    (async () => {
      for await (const { message } of channel.messages()) {
        heard.push(message)
        if (message.type === type) return message
      }
      throw new Error('the channel ended')
    })()
  const say = (message: DmMessage): Promise<void> => channel.send(victim.node.id, message)
  /** Resolves when all that was said before has been judged. */
  const judged = async (): Promise<void> => {
    await say({ type: DmType.seek, sought: soughtTag(victim.identity.identity.publicKey, device.node.publicKey, victim.node.publicKey) })
    await hears(DmType.here)
  }
  const profile = signProfile(device.identity, { version: 1, name: 'Mallory', bio: '' })
  return { device, channel, say, hears, heard, judged, profile, certificate: device.identity.device.certificate }
}

/** Asks for a direct room, and waits for none: nobody accepts before the time, or the test, has ended. */
export function ask(directMessages: Pick<DirectMessages, 'open'>, id: string, timeoutMs = 1): void {
  directMessages.open(id, { timeoutMs }).catch(() => undefined)
}
