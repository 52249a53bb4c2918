import type Corestore from 'corestore'
import type Hyperswarm from 'hyperswarm'
import type ProtomuxWakeup from 'protomux-wakeup'
import type { SessionSwarm } from './internal/session/session-swarm.js'
import type { Node } from './node.js'

/** The parts of the stack that a node runs on. */
export interface NodeInternals {
  readonly corestore: Corestore
  readonly swarm: Hyperswarm
  readonly sessionSwarm: SessionSwarm
  readonly wakeup: ProtomuxWakeup
  readonly meetingPlace: Uint8Array | null
  readonly hint: (peer: string, meetingPlace: Uint8Array) => boolean
}

const registry = new WeakMap<Node, NodeInternals>()

export function registerInternals(node: Node, internals: NodeInternals): void {
  registry.set(node, internals)
}

export function internalsOf(node: Node): NodeInternals {
  const internals = registry.get(node)
  if (internals === undefined) throw new TypeError('node must come from createNode()')
  return internals
}
