import { equalBytes } from '@covey/core'
import type { UpstreamLinearizer } from './autobase-internals.js'

/**
 * Keeps at most one head a writer: its latest, which stands for all that it wrote before.
 *
 * The attack, in autobase 7.28.1: a writer who never names its own previous block in its heads leaves
 * each of its blocks a head (lib/linearizer.js:149), and everyone's next block lists them all: 33
 * bytes a block of the attacker's in each block of everyone's, until those exceed what a block may
 * have. The order is not touched: a block depends on the one before it in any case
 * (lib/writer.js:311), and the view's own heads are one a writer already (lib/system.js:388).
 */
export function guardLinearizer(linearizer: UpstreamLinearizer): void {
  const add = linearizer.addHead.bind(linearizer)
  linearizer.addHead = (node) => {
    const added = add(node)
    for (const head of linearizer.heads) {
      if (head !== node && head.writer === node.writer) linearizer.heads.delete(head)
    }
    if (linearizer._initialHeads.length > 0) {
      const { key } = node.writer.core
      linearizer._initialHeads = linearizer._initialHeads.filter((head) => !equalBytes(head.key, key))
    }
    return added
  }
}
