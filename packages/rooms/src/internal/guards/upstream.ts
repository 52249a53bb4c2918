import autobase from 'autobase/package.json' with { type: 'json' }
import blindPairing from 'blind-pairing/package.json' with { type: 'json' }
import blindPairingCore from 'blind-pairing-core/package.json' with { type: 'json' }
import hyperbee from 'hyperbee/package.json' with { type: 'json' }
import hypercore from 'hypercore/package.json' with { type: 'json' }
import { RoomError } from '../../errors.js'

/**
 * The versions that the guards of this folder were written against: they wrap methods that are no
 * part of any documented interface, so on another version each may guard nothing at all. When a
 * version moves: read the places that docs/guards.md names again, run test/guards, then change this.
 */
const WRITTEN_FOR = {
  autobase: '7.28.1',
  hyperbee: '2.27.3',
  hypercore: '11.37.1',
  'blind-pairing': '2.3.1',
  'blind-pairing-core': '2.10.1'
} as const

export type GuardedModule = keyof typeof WRITTEN_FOR

const INSTALLED: Readonly<Record<GuardedModule, string>> = {
  autobase: autobase.version,
  hyperbee: hyperbee.version,
  hypercore: hypercore.version,
  'blind-pairing': blindPairing.version,
  'blind-pairing-core': blindPairingCore.version
}

/**
 * Refuses to go on with a module that its guard was not written for.
 *
 * @throws {RoomError} UPSTREAM_UNSUPPORTED
 */
export function assertUpstream(...modules: readonly GuardedModule[]): void {
  for (const module of modules) {
    const [installed, expected] = [INSTALLED[module], WRITTEN_FOR[module]]
    if (installed === expected) continue
    throw new RoomError('UPSTREAM_UNSUPPORTED', `${module} is ${installed}, and the guards are for ${expected}.`, {
      hint: `Install ${module}@${expected}, or a version of @covey/rooms that is made for ${installed}.`
    })
  }
}
