import type { UpstreamWriter } from './autobase-internals.js'

/**
 * Lets a writer's core tell its key before it is open.
 *
 * The attack, in autobase 7.28.1: as long as nothing has been applied, index.js:1184 compares the key of
 * each writer that a block names with the room's. Its core was asked for two lines above, and may have
 * no key yet: corestore 7.12.5 opens it by its discovery key alone where a peer has just asked for it
 * (index.js:462), and then hands that out. The TypeError reaches safety-catch (index.js:1225), and the
 * process stops. A newcomer that was killed while it joined has such blocks on its disk, and peers that
 * ask for them, at every start.
 */
export function guardWriterKey({ core }: UpstreamWriter, key: Uint8Array): void {
  if (core.key !== null) return
  Object.defineProperty(core, 'key', { configurable: true, value: key })
  core.once('ready', () => Reflect.deleteProperty(core, 'key'))
}
