import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLocalNetwork, createTestPeer } from '@covey/testing'
import { isQuick, measureEach } from './harness.js'
import type { Asked, Told } from './many/hold.js'

const ROOMS = isQuick() ? 10 : 200
const MESSAGES = 20
const NAMES = ['after the start', 'after each was read'].flatMap((moment) => [`${ROOMS} rooms ${moment}, resident`, `${ROOMS} rooms ${moment}, in use`])

const folder = await mkdtemp(join(tmpdir(), 'covey-bench-'))
const network = await createLocalNetwork()
try {
  const storage = join(folder, 'alice')
  const peer = await createTestPeer({ network, name: 'Alice', storage })
  for (let i = 0; i < ROOMS; i++) {
    const room = await peer.rooms.create({ name: `Room ${i}` })
    for (let k = 0; k < MESSAGES; k++) await room.send(`message ${k} of room ${i}`.padEnd(81, '.'))
  }
  await peer.close()
  const asked = { storage, bootstrap: network.bootstrap, rooms: ROOMS, messages: MESSAGES }
  await measureEach(NAMES, {
    unit: 'MB',
    baselineName: 'as many may be open',
    runs: 1,
    value: () => figures({ ...asked, maxOpenRooms: undefined }),
    baseline: () => figures({ ...asked, maxOpenRooms: ROOMS })
  })
} finally {
  await network.close()
  await rm(folder, { recursive: true, force: true })
}

async function figures(asked: Asked): Promise<Record<string, number>> {
  const { started, read } = await ask(asked)
  const numbers = [started, read].flatMap(({ residentMb, usedMb }) => [residentMb, usedMb])
  return Object.fromEntries(NAMES.map((name, i) => [name, numbers[i]!]))
}

/** What a process of its own says that does nothing else. */
async function ask(asked: Asked): Promise<Told> {
  const program = fileURLToPath(new URL('./many/hold.ts', import.meta.url))
  const child = fork(program, [JSON.stringify(asked)], { execArgv: ['--import', 'tsx', '-C', '@covey/source', '--expose-gc'] })
  const told = once(child, 'message') as Promise<[Told]>
  const ended = once(child, 'exit')
  const [figuresOf] = await Promise.race([told, ended.then(([code]) => Promise.reject(new Error(`The peer ended with ${code}.`)))])
  await ended
  return figuresOf
}
