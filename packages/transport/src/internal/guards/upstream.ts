import hypercore from 'hypercore/package.json' with { type: 'json' }
import storage from 'hypercore-storage/package.json' with { type: 'json' }
import hyperdht from 'hyperdht/package.json' with { type: 'json' }
import hyperswarm from 'hyperswarm/package.json' with { type: 'json' }
import protomux from 'protomux/package.json' with { type: 'json' }
import { TransportError } from '../../errors.js'

/** The versions whose methods are wrapped here, or overridden: on another, that may do nothing. */
const WRITTEN_FOR = { hypercore: '11.37.1', 'hypercore-storage': '3.3.1', hyperdht: '6.32.0', hyperswarm: '4.17.2', protomux: '3.12.1' } as const

const INSTALLED = { hypercore: hypercore.version, 'hypercore-storage': storage.version, hyperdht: hyperdht.version, hyperswarm: hyperswarm.version, protomux: protomux.version }

/**
 * Refuses to run with modules that the guards were not written for.
 *
 * @throws {TransportError} UPSTREAM_UNSUPPORTED
 */
export function assertUpstream(installed: Readonly<Record<keyof typeof WRITTEN_FOR, string>> = INSTALLED): void {
  for (const module of ['hypercore', 'hypercore-storage', 'hyperdht', 'hyperswarm', 'protomux'] as const) {
    const [found, expected] = [installed[module], WRITTEN_FOR[module]]
    if (found === expected) continue
    throw new TransportError('UPSTREAM_UNSUPPORTED', `${module} is ${found}, and the guards are for ${expected}.`, {
      hint: `Install ${module}@${expected}, or a version of @covey/transport that is made for ${found}.`
    })
  }
}
