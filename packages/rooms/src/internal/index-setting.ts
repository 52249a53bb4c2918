import { assertOptions, assertSignal, decodeKey, equalBytes, raceSignal, throwIfAborted } from '@covey/core'
import { RoomError } from '../errors.js'
import type { Room } from '../room.js'
import { leastRole } from './authority/rules.js'
import { hasVoice } from './authority/voices.js'
import type { OpLog } from './op-log.js'
import type { WhileOpen } from './open-room.js'
import { forbidden, type OwnRole } from './own-role.js'
import { encodeStruct } from './structs.js'
import type { RoomView } from './view.js'

export interface IndexSettingInit {
  readonly view: RoomView
  readonly log: OpLog
  readonly ownRole: OwnRole
  readonly whileOpen: WhileOpen
}

/** Names who settles the order. */
export function createIndexSetting({ view, log, ownRole, whileOpen }: IndexSettingInit): Pick<Room, 'setIndexers'> {
  /** The writers of devices that are in and have written something. */
  async function writersOf(devices: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const rows = (await view.all('devices')).filter(hasVoice)
    return Promise.all(
      devices.map(async (device) => {
        const row = rows.find((one) => equalBytes(one.device, device))
        if (row !== undefined && (await view.writer(row.writer)) !== null) return row.writer
        throw new RoomError('DEVICE_NOT_FOUND', 'There is no such device in the room, or it has written nothing yet.', {
          hint: 'The id of a device is `peer.device.id` there.'
        })
      })
    )
  }

  return {
    async setIndexers(devices, options = {}) {
      assertOptions(options, 'options', ['signal'])
      assertSignal(options.signal, 'options.signal')
      if (!Array.isArray(devices) || new Set(devices).size !== devices.length || (devices.length !== 1 && devices.length !== 3)) {
        throw new TypeError('devices must be one or three different ids')
      }
      const keys = devices.map((device) => decodeKey(device, 'devices'))
      throwIfAborted(options.signal)
      const setting = whileOpen(async () => {
        await ownRole.demand(leastRole('indexers'), 'name the indexers')
        const payload = encodeStruct('indexers', { writers: await writersOf(keys) })
        const [written] = await log.append([{ type: 'indexers', payload }])
        if (!written!.isAccepted) throw forbidden('The room did not take it.', 'They have to be of admins; an admin leaves in those of the owner, and names two other people.')
      })
      await raceSignal(setting, options.signal)
    }
  }
}
