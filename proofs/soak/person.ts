import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Ask, Call, Calls, Given, Told } from './protocol.js'

const PEER = fileURLToPath(new URL('peer.ts', import.meta.url))
/** Longer than anything may take: what hangs has failed. */
const CALL_TIMEOUT_MS = 120_000

/** Somebody with a folder, and mostly with a process that has it open. */
export class Person {
  /** How many messages were sent in those lives that ended well. */
  said = 0
  id = ''
  #child: ChildProcess | undefined
  #isOver = false
  readonly #given: Given
  readonly #onfailure: (error: Error) => void

  constructor(given: Given, onfailure: (error: Error) => void) {
    this.#given = given
    this.#onfailure = onfailure
  }

  async live(seed: number): Promise<void> {
    if (this.#isOver) throw new Error('It is over.')
    const child = fork(PEER, [], { execArgv: ['--import', 'tsx', '-C', '@covey/source', '--expose-gc'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#child = child
    child.once('exit', (code, signal) => {
      if (this.#child === child) this.#onfailure(new Error(`${this.#given.name} ended by itself, with ${code ?? signal}.`))
    })
    this.id = (await this.ask('start', { ...this.#given, seed })).person
  }

  async ask<Name extends Call>(call: Name, given: Calls[Name]['given']): Promise<Calls[Name]['answer']> {
    const child = this.#child!
    const waiting = new AbortController()
    const timer = setTimeout(() => waiting.abort(new Error(`No answer for ${CALL_TIMEOUT_MS} ms.`)), CALL_TIMEOUT_MS)
    const onexit = (): void => waiting.abort(new Error('The process has ended.'))
    child.once('exit', onexit)
    try {
      const answered = once(child, 'message', { signal: waiting.signal }) as Promise<[Told]>
      child.send({ call, given } satisfies Ask)
      const [told] = await answered
      if ('error' in told) throw new Error(told.error)
      return told.answer as Calls[Name]['answer']
    } catch (cause) {
      throw new Error(`${this.#given.name}, ${call}: ${String(waiting.signal.reason ?? cause)}`, { cause })
    } finally {
      clearTimeout(timer)
      child.off('exit', onexit)
    }
  }

  /** Says nothing more, and goes to sleep. */
  async leave(): Promise<void> {
    this.said += (await this.ask('quiet', null)).said
    await this.ask('close', null)
    await this.#end()
  }

  /** For good, whatever it is at. */
  async kill(): Promise<void> {
    this.#isOver = true
    await this.#end()
  }

  async #end(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child?.kill('SIGKILL')) await once(child, 'exit')
  }
}
