/** Two devices show each other their cursors. Both run here, so that nothing else is needed. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import { createLocalNetwork } from '@covey/testing'
import { createNode, localNetwork, openStore, type Node } from '@covey/transport'
import { shareCursor, type Cursors, type Point } from './cursor.js'

const STEPS = 20

const network = await createLocalNetwork()
const [alice, bob] = await Promise.all([openDevice(), openDevice()])
const names = new Map([[alice.node.id, 'Alice'], [bob.node.id, 'Bob']])

let moves = 0
let clicked = (): void => undefined
const click = new Promise<void>((resolve) => (clicked = resolve))
const hers = shareCursor(alice.node, [bob.node.id], () => undefined)
const his = shareCursor(bob.node, [alice.node.id], (peer, { x, y }, isClick) => {
  console.log(`Bob sees ${names.get(peer)} ${isClick ? 'click' : 'point'} at ${x}, ${y}`)
  if (isClick) clicked()
  else moves++
})

alice.node.addContact(bob.node.publicKey)
await hers.joined(bob.node.id)
await walk(hers)
await hers.click({ x: 500, y: 500 })
await click
console.log(`${moves} of ${STEPS} positions and the click arrived.`)
if (moves === 0) process.exitCode = 1

await Promise.all([hers.close(), his.close()])
await Promise.all([alice.close(), bob.close()])
await network.close()

async function walk(cursors: Cursors): Promise<void> {
  for (let i = 1; i <= STEPS; i++) {
    cursors.move(pointOn(i / STEPS))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Once around the middle. */
function pointOn(turn: number): Point {
  const angle = 2 * Math.PI * turn
  return { x: Math.round(500 + 400 * Math.cos(angle)), y: Math.round(500 + 400 * Math.sin(angle)) }
}

async function openDevice(): Promise<{ node: Node; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'shared-cursor-'))
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  const node = createNode({ identity, store: await openStore(folder), network: localNetwork(network.bootstrap) })
  return {
    node,
    async close() {
      await node.close()
      await identity.close()
      await rm(folder, { recursive: true, force: true })
    }
  }
}
