/**
 * Two people in two processes talk over a network of their own, leave, and come back. What is printed
 * has been checked first; if anything is otherwise, the program fails.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalNetwork } from '@covey/testing'
import { createNarrator } from './narrator.js'
import { playStory } from './story.js'

/** It takes about 4 s. */
const TIME_LIMIT_MS = 45_000

const folder = mkdtempSync(join(tmpdir(), 'covey-demo-'))
// However the program ends: startPerson sees to the processes.
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))
setTimeout(() => fail(`It did not end within ${TIME_LIMIT_MS / 1000} s.`), TIME_LIMIT_MS).unref()

try {
  const tell = createNarrator(process.stdout)
  const network = await createLocalNetwork()
  tell(`Two people, two processes, and no server: only a DHT on this machine, port ${network.bootstrap[0]?.port}.`)
  await playStory({ folder, bootstrap: network.bootstrap, tell })
  await network.close()
  rmSync(folder, { recursive: true })
  tell('Both processes have ended, and nothing is left behind. All of this was checked.')
} catch (error) {
  fail(error instanceof Error ? error.message : String(error))
}

function fail(reason: string): never {
  console.error(`The demo failed. ${reason}`)
  process.exit(1)
}
