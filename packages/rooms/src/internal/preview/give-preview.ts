import { encodeZ32, isCoveyError } from '@covey/core'
import type { Channel, ChannelHost } from '@covey/transport'
import { HISTORY } from '../keyring.js'
import type { OpenRoom } from '../open-room.js'
import { makePreview } from './make-preview.js'
import { previewChannel, sealPreview } from './preview-channel.js'

/** How long somebody who was let in may ask for what was last said. They have the room soon, and need it no more. */
const OFFERED_MS = 30_000

/** To how many at a time. */
const MAX_OFFERED = 64

/** Shows the last messages of a room to whom this device has let in, if they want to see them. */
export interface PreviewGiver {
  /** @param device of who is in the room now. */
  offer(opened: OpenRoom, device: Uint8Array): Promise<void>
  close(): Promise<void>
}

export interface PreviewGiverInit {
  readonly node: ChannelHost
  /** The id of the room. */
  readonly room: string
  /** The id of this device. */
  readonly device: string
  readonly onerror: (error: unknown) => void
}

interface Offer {
  readonly opened: OpenRoom
  readonly timer: ReturnType<typeof setTimeout>
  /** Each is good for one: to make it takes longer than to ask. */
  isTaken?: boolean
}

export function createPreviewGiver({ node, room, device: from, onerror }: PreviewGiverInit): PreviewGiver {
  const offered = new Map<string, Offer>()
  /** Open while there is somebody to show it to. */
  let channel: Channel | undefined
  let isClosing = false

  function withdraw(device: string): Promise<void> | undefined {
    clearTimeout(offered.get(device)?.timer)
    offered.delete(device)
    if (offered.size > 0) {
      channel?.refuse(device)
      return undefined
    }
    const closing = channel?.close()
    channel = undefined
    return closing
  }

  async function give(on: Channel, to: string): Promise<void> {
    const offer = offered.get(to)
    if (offer === undefined || offer.isTaken || offer.opened.base.closing) return
    offer.isTaken = true
    const { opened } = offer
    const preview = await makePreview(opened)
    await on.send(to, sealPreview(preview, { from, to }, opened.base.encryptionKey!))
  }

  function report(error: unknown): void {
    // Who was to see it has gone, or what it is of.
    const isGone = isCoveyError(error, 'CHANNEL_CLOSED') || isCoveyError(error, 'MESSAGE_TOO_LARGE') || isCoveyError(error, 'ROOM_CLOSED')
    if (!isClosing && !isGone) onerror(error)
  }

  function openChannel(): Channel {
    const opening = node.channel(previewChannel(room), { peers: [] })
    opening.on('open', ({ peer }) => {
      const { opened } = offered.get(peer) ?? {}
      // What is closed beneath it is no news.
      give(opening, peer).catch((error: unknown) => opened?.base.closing || report(error))
    })
    return opening
  }

  return {
    async offer(opened, bytes) {
      const device = encodeZ32(bytes)
      const isShown = (await opened.view.room())?.history === HISTORY.full
      const before = offered.get(device)
      if (isClosing || !isShown || (before === undefined && offered.size >= MAX_OFFERED)) return
      clearTimeout(before?.timer)
      const timer = setTimeout(() => void withdraw(device)?.catch(report), OFFERED_MS)
      // Nobody stays for that.
      ;(timer as { unref?: () => void }).unref?.()
      offered.set(device, { opened, timer })
      channel ??= openChannel()
      channel.allow(device)
    },
    async close() {
      isClosing = true
      for (const device of offered.keys()) await withdraw(device)
    }
  }
}
