import { isCoveyError, withTimeout } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import type { ChannelHost } from '@covey/transport'
import { RoomError } from '../../errors.js'
import type { PreviewVerdict, RoomPreview } from '../../preview.js'
import type { OpenRoom } from '../open-room.js'
import { createPreviewJudge } from './judge-preview.js'
import { openPreview, previewChannel, type Preview } from './preview-channel.js'
import { readPreview } from './read-preview.js'

/** How many devices are heard, each once: who knows no more than the room's id may come first. */
const MAX_HEARD = 16

/** How long the room may take to say whether it has what was shown. */
const VERDICT_WITHIN_MS = 60_000

/** Hears what was last said in a room that this device is being let into. */
export interface PreviewTaker {
  /** Hears nothing more, and has the room judge what was heard, if this device is in. Idempotent. */
  end(isIn: boolean): Promise<void>
}

export interface PreviewTakerInit {
  readonly node: ChannelHost
  readonly opened: OpenRoom
  readonly identity: LocalIdentity
  readonly isBlocked: (identity: string) => boolean
  /** Is given the first preview that somebody who knows the room's key has made for this device, if any comes. */
  readonly onpreview: (preview: RoomPreview) => void
  /** Told of what was shown and turns out not to be so, and of what fails. */
  readonly onerror: (error: unknown) => void
}

export function createPreviewTaker({ node, opened, identity, isBlocked, onpreview, onerror }: PreviewTakerInit): PreviewTaker {
  const { room, base, viewKeeper, until } = opened
  const to = identity.device.id
  const channel = node.channel(previewChannel(room.id), { peers: 'any' })
  let isOver = false
  let decide: (isIn: boolean) => void
  /** Whether this device turned out to get in. */
  const entered = new Promise<boolean>((resolve) => (decide = resolve))

  async function hear(): Promise<void> {
    const heard = new Set<string>()
    for await (const { peer: from, message } of channel.messages()) {
      if (isOver || heard.size >= MAX_HEARD) break
      const preview = heard.has(from) ? undefined : openPreview(message, { from, to }, base.encryptionKey!)
      if (preview !== undefined) return show(preview, from)
      heard.add(from)
      channel.refuse(from)
    }
  }

  async function show(preview: Preview, by: string): Promise<void> {
    const read = await readPreview(preview, base.discoveryKey!, identity, isBlocked)
    if (!isOver) onpreview({ id: room.id, ...read, by, verdict: verdictOn(preview, by) })
  }

  async function verdictOn(preview: Preview, by: string): Promise<PreviewVerdict> {
    if (!(await entered)) return 'unknown'
    try {
      const verdict = await ask(preview, by)
      if (verdict === 'refuted') onerror(refutedError(by))
      return verdict
    } catch (error) {
      if (!base.closing && !isCoveyError(error, 'ROOM_CLOSED')) onerror(error)
      return 'unknown'
    }
  }

  /** Asks the room, as it comes, until it says whether it has what was shown. */
  async function ask(preview: Preview, by: string): Promise<PreviewVerdict> {
    let isLate = false
    const late = new Error('The room has not come in time.')
    const onTimeout = (): Error => {
      isLate = true
      return late
    }
    const judge = createPreviewJudge(preview, by, opened)
    // While the room still comes, it may lack what the rest goes by.
    const judged = viewKeeper.calm().then(() => until(async () => (isLate ? 'unknown' : judge())))
    return withTimeout(judged, { timeoutMs: VERDICT_WITHIN_MS, onTimeout }).catch((error: unknown) => (error === late ? 'unknown' : Promise.reject(error)))
  }

  hear()
    .catch(onerror)
    .finally(() => void channel.close().catch(onerror))

  return {
    async end(isIn) {
      isOver = true
      decide(isIn)
      await channel.close()
    }
  }
}

function refutedError(by: string): RoomError {
  return new RoomError('PREVIEW_REFUTED', `The device ${by} showed messages that the room does not have so.`, {
    hint: 'Show what room.messages() gives instead.'
  })
}
