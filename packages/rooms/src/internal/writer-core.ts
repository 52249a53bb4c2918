import type Hypercore from 'hypercore'
import type { WriterCore } from './claim.js'

/** The keys of this device's own core. */
export function writerCore({ key, keyPair }: Hypercore<unknown>): WriterCore {
  if (key === null || keyPair === null) throw new TypeError('core must be ready, and this device its writer')
  return { key, keyPair }
}
