import type { UpstreamWriter } from './autobase-internals.js'

/**
 * Lets a block that builds on what a forked writer told others be read where that is not to be had.
 *
 * The attack, in autobase 7.28.1: a writer signs two pasts, and an honest member builds on the longer
 * one. Whoever has the other can never get the block that is named, and waits for it without end
 * (lib/writer.js:281): nothing more of the honest member is read, nor of whoever builds on it.
 *
 * The order may then be another than where the block is. What the indexers make of it is signed, and
 * `guardView` brings everyone to it.
 */
export function guardLinks(writer: UpstreamWriter, isForked: (key: Uint8Array) => boolean): void {
  const link = writer._ensureNodeDependencies.bind(writer)
  writer._ensureNodeDependencies = async (boot) => {
    const { heads, dependencies } = writer.node!
    while (!(await link(boot))) {
      const missing = heads[dependencies.size]
      if (missing === undefined || !isForked(missing.key)) return false
      heads.splice(dependencies.size, 1)
    }
    return true
  }
}
