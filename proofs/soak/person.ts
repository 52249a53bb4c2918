import { fileURLToPath } from 'node:url'
import { CalledProcess } from '../called-process.js'
import type { Given, SoakCalls } from './protocol.js'

const PEER = fileURLToPath(new URL('peer.ts', import.meta.url))

/** Somebody with a folder, and mostly with a process that has it open. */
export class Person {
  /** How many messages were sent in those lives that ended well. */
  said = 0
  id = ''
  #process: CalledProcess<SoakCalls> | undefined
  #isOver = false
  readonly #given: Given
  readonly #onfailure: (error: Error) => void

  constructor(given: Given, onfailure: (error: Error) => void) {
    this.#given = given
    this.#onfailure = onfailure
  }

  async live(seed: number): Promise<void> {
    if (this.#isOver) throw new Error('It is over.')
    this.#process = new CalledProcess(PEER, this.#given.name, this.#onfailure, ['--expose-gc'])
    this.id = (await this.ask('start', { ...this.#given, seed })).person
  }

  ask<Name extends keyof SoakCalls>(call: Name, given: SoakCalls[Name]['given']): Promise<SoakCalls[Name]['answer']> {
    return this.#process!.call(call, given)
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
    const ended = this.#process
    this.#process = undefined
    await ended?.kill()
  }
}
