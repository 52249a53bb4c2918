import { assertOptions, assertSignal, assertString, decodeLink, encodeLink, raceSignal, throwIfAborted } from '@covey/core'
import { MAX_ROOM_MIRRORS } from '../constants.js'
import type { Room } from '../room.js'
import { leastRole } from './authority/rules.js'
import { KEY_BYTES } from './crypto.js'
import { mapKey } from './map-key.js'
import type { OpLog } from './op-log.js'
import type { WhileOpen } from './open-room.js'
import { forbidden, type OwnRole } from './own-role.js'
import { decodeStruct, encodeStruct } from './structs.js'

export interface MirrorSettingInit {
  readonly log: OpLog
  readonly ownRole: OwnRole
  readonly whileOpen: WhileOpen
}

/** What the link of a mirror carries at most: its key, and relays where it can be met. */
const MAX_MIRROR_BYTES = 1_024

/** The mirrors that a room has for its members. */
export function createMirrorSetting({ log, ownRole, whileOpen }: MirrorSettingInit): Pick<Room, 'setMirrors'> {
  return {
    async setMirrors(links, options = {}) {
      const body = encodeStruct('mirrors-body', { mirrors: readLinks(links) })
      assertOptions(options, 'options', ['signal'])
      assertSignal(options.signal, 'options.signal')
      throwIfAborted(options.signal)
      const setting = whileOpen(async () => {
        await ownRole.demand(leastRole('mirrors'), 'name the mirrors of the room')
        const [written] = await log.append([{ type: 'mirrors', body }], { underEpoch: true })
        if (!written!.isAccepted) throw forbidden('The room did not take it.', 'Somebody changed roles meanwhile.')
      })
      await raceSignal(setting, options.signal)
    }
  }
}

/** @throws {TypeError} and {CoveyError} LINK_… for what is no link of a mirror. */
function readLinks(links: readonly string[]): readonly Uint8Array[] {
  if (!Array.isArray(links) || links.length > MAX_ROOM_MIRRORS) throw new TypeError(`links must be a list of at most ${MAX_ROOM_MIRRORS} links of mirrors`)
  const mirrors = links.map((link, i) => {
    assertString(link, `links[${i}]`)
    return decodeLink(link, { kind: 'mirror', maxBytes: MAX_MIRROR_BYTES }).body
  })
  const sound = soundMirrors(mirrors)
  if (sound.length < mirrors.length) throw new TypeError('links must name each mirror once, and nothing else')
  return sound
}

/** The links of the mirrors that a body names; of what is none, or too many, nothing. */
export function readMirrors(body: Uint8Array): readonly string[] {
  return soundMirrors(decodeStruct('mirrors-body', body)?.mirrors ?? []).map((mirror) => encodeLink('mirror', mirror))
}

function soundMirrors(mirrors: readonly (Uint8Array | null)[]): readonly Uint8Array[] {
  const sound = new Map<string, Uint8Array>()
  for (const mirror of mirrors) {
    // An empty buffer is decoded to null.
    if (mirror === null || mirror.length < KEY_BYTES || mirror.length > MAX_MIRROR_BYTES) continue
    const key = mapKey(mirror.subarray(0, KEY_BYTES))
    if (sound.size < MAX_ROOM_MIRRORS && !sound.has(key)) sound.set(key, mirror)
  }
  return [...sound.values()]
}
