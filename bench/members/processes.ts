import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Built, Wanted } from './build.js'
import type { Calls, Placed } from './peer.js'

/** A peer in a process of its own. */
export type PeerProcess = Calls & { end(): Promise<void> }

/** Makes a room, in a process of its own, so that nothing of it is in the memory of any other. */
export async function build(wanted: Wanted): Promise<Built> {
  const child = run('build.ts', wanted)
  const ended = once(child, 'exit')
  const [built] = await Promise.race([once(child, 'message') as Promise<[Built]>, failed(child)])
  await ended
  return built
}

/** What takes longer does not work. */
const MAX_CALL_MS = 1_800_000

export function startPeer(placed: Placed): PeerProcess {
  const child = run('peer.ts', placed)
  let count = 0
  // Whoever asks hears of it.
  const gone = failed(child)
  gone.catch(() => undefined)
  const ask = async (call: keyof Calls, ...given: readonly unknown[]): Promise<unknown> => {
    const id = count++
    const answered = new Promise((resolve, reject) => {
      const onmessage = (message: { id: number; value?: unknown; failure?: string }): void => {
        if (message.id !== id) return
        child.off('message', onmessage)
        if (message.failure === undefined) resolve(message.value)
        else reject(new Error(message.failure))
      }
      child.on('message', onmessage)
    })
    child.send({ id, call, given })
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${placed.name} has not done '${call}' in ${MAX_CALL_MS / 1e3} s.`)), MAX_CALL_MS)
    })
    return Promise.race([answered, gone, late]).finally(() => clearTimeout(timer))
  }
  const names: readonly (keyof Calls)[] = ['reopen', 'start', 'create', 'join', 'name', 'whole', 'memory', 'listen', 'heard', 'talk', 'send', 'close']
  const calls = Object.fromEntries(names.map((name) => [name, (...given: readonly unknown[]) => ask(name, ...given)])) as unknown as Calls
  return {
    ...calls,
    async end() {
      if (child.exitCode !== null) return
      const ended = once(child, 'exit')
      await calls.close()
      child.disconnect()
      await ended
    }
  }
}

function run(program: string, given: object): ChildProcess {
  const path = fileURLToPath(new URL(program, import.meta.url))
  return fork(path, [JSON.stringify(given)], { execArgv: ['--import', 'tsx', '-C', '@covey/source', '--expose-gc'] })
}

async function failed(child: ChildProcess): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null]
  throw new Error(`The process ended with ${code}.`)
}
