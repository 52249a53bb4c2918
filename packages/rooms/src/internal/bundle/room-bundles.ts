import type Autobase from 'autobase'
import { assertBytes, assertOptions, assertSignal, assertString, raceSignal, throwIfAborted } from '@covey/core'
import type { Room } from '../../room.js'
import type { OpLog } from '../op-log.js'
import type { WhileOpen } from '../open-room.js'
import type { RoomView } from '../view.js'
import { exportBundle } from './export-bundle.js'
import { openSummary, sealSummary, whatIsHere } from './summary.js'

interface RoomBundlesInit {
  readonly base: Autobase<RoomView>
  readonly view: RoomView
  readonly log: OpLog
  readonly whileOpen: WhileOpen
}

/** The calls of a room by which it is carried by hand. */
export function createRoomBundles({ base, view, log, whileOpen }: RoomBundlesInit): Pick<Room, 'exportBundle' | 'bundleSummary'> {
  return {
    async exportBundle(path, options = {}) {
      assertString(path, 'path', { minLength: 1 })
      assertOptions(options, 'options', ['since', 'signal'])
      const { since, signal } = options
      if (since !== undefined) assertBytes(since, 'options.since')
      assertSignal(signal, 'options.signal')
      throwIfAborted(signal)
      return whileOpen(async () => {
        const had = since === undefined ? [] : openSummary(base.encryptionKey!, since)
        // `send` resolves when a message is in the outbox.
        await raceSignal(log.settled(), signal)
        return exportBundle({ base, view, path, had, signal })
      })
    },
    bundleSummary: () => whileOpen(async () => sealSummary(base.encryptionKey!, await whatIsHere({ base, view })))
  }
}
