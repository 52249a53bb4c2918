import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Calls, News, Told } from './protocol.js'

const PEER = fileURLToPath(new URL('peer.ts', import.meta.url))
/** The tail of what a process has written, for when it ends unasked. */
const MAX_OUTPUT = 4_000
/** Longer than anything may take: what hangs has failed. */
const CALL_TIMEOUT_MS = 90_000

const STATE_TIMEOUT_MS = 5_000

/** What becomes of a call whose process is killed. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

/** A process with one peer in it. */
export interface PeerProcess {
  /** Rejects when the call fails or takes too long, when the process ends of itself, and when it is killed. */
  call<Call extends keyof Calls>(call: Call, given: Calls[Call]['given']): Promise<Calls[Call]['answer']>
  /** What it is at, in words. */
  state(): Promise<string>
  /** Kills it with SIGKILL; resolves when it has ended and all that it told has been heard. */
  kill(): Promise<void>
}

export function startPeer(onnews: (news: News) => void, oncrash: (error: Error) => void): PeerProcess {
  // Everything runs from its source, as the proofs themselves do.
  const child: ChildProcess = fork(PEER, [], {
    execArgv: ['--import', 'tsx', '-C', '@covey/source'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced'
  })
  const waiting = new Map<number, { call: keyof Calls; resolve: (answer: never) => void; reject: (error: Error) => void }>()
  let asked = 0
  let output = ''
  let isKilled = false

  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (bytes: Buffer) => (output = (output + bytes.toString()).slice(-MAX_OUTPUT)))
  }
  child.on('message', (told: Told) => {
    if ('news' in told) return onnews(told.news)
    const call = waiting.get(told.answerTo)
    waiting.delete(told.answerTo)
    if ('error' in told) call?.reject(new Error(`'${call.call}' failed: ${told.error}`))
    else call?.resolve(told.answer as never)
  })
  const ended = once(child, 'close').then(([code, signal]) => {
    const error = isKilled ? new Killed() : new Error(`The process of a peer ended by itself, with ${code ?? signal}:\n${output}`)
    if (!isKilled) oncrash(error)
    for (const { reject } of waiting.values()) reject(error)
  })

  function ask<Call extends keyof Calls>(
    call: Call,
    given: Calls[Call]['given'],
    timeoutMs: number,
    explain: () => Promise<string>
  ): Promise<Calls[Call]['answer']> {
    return new Promise((resolve, reject) => {
      if (!child.connected) return reject(new Killed())
      const ontimeout = async () => reject(new Error(`No answer to '${call}' for ${timeoutMs} ms: ${await explain()}\n${output}`))
      const timer = setTimeout(() => void ontimeout(), timeoutMs)
      const done = () => clearTimeout(timer)
      waiting.set(asked, {
        call,
        resolve: (answer) => (done(), resolve(answer)),
        reject: (error) => (done(), reject(error))
      })
      child.send({ ask: asked++, call, given })
    })
  }

  const state = (): Promise<string> =>
    ask('state', {}, STATE_TIMEOUT_MS, async () => '').catch((error: Error) => error.message)

  return {
    call: (call, given) => ask(call, given, CALL_TIMEOUT_MS, state),
    state,
    async kill() {
      isKilled = true
      child.kill('SIGKILL')
      await ended
    }
  }
}
