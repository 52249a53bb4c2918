import { fork } from 'node:child_process'
import { on, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Received, Receiving } from './receive.js'

/** Receives a file in a process of its own; what this one takes of the processors meanwhile is what it takes to send it. */
export async function receive(receiving: Receiving): Promise<Received & { readonly sendersCpuMs: number }> {
  const program = fileURLToPath(new URL('receive.ts', import.meta.url))
  const child = fork(program, [JSON.stringify(receiving)], { execArgv: ['--import', 'tsx', '-C', '@covey/source'] })
  const ended = once(child, 'exit')
  const gone = ended.then(([code]) => Promise.reject(new Error(`The receiver ended with ${code}.`)))
  const messages = on(child, 'message')
  const told = async (): Promise<unknown> => ((await Promise.race([messages.next(), gone])) as IteratorYieldResult<unknown[]>).value[0]
  await told()
  const cpu = process.cpuUsage()
  const received = (await told()) as Received
  const { user, system } = process.cpuUsage(cpu)
  await ended
  return { ...received, sendersCpuMs: (user + system) / 1_000 }
}
