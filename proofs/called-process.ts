import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Longer than anything may take: what hangs has failed. */
const CALL_TIMEOUT_MS = 120_000

/** What a process is asked, by name, and what it answers with. */
export type Calls<Names extends PropertyKey = string> = { readonly [Name in Names]: { readonly given: unknown; readonly answer: unknown } }

type Answers<Of extends Calls<keyof Of>> = { readonly [Name in keyof Of]: (given: Of[Name]['given']) => Promise<Of[Name]['answer']> }

interface Asked {
  readonly id: number
  readonly call: string
  readonly given: unknown
}

type Told = { readonly id: number } & ({ readonly answer: unknown } | { readonly error: string; readonly code: string | undefined })

/** What a call in another process failed with. */
export class CallError extends Error {
  override readonly name = 'CallError'
  /** Of a `CoveyError`. */
  readonly code: string | undefined

  constructor(message: string, code?: string) {
    super(message)
    this.code = code
  }
}

/** A process of this repository's code that is asked things, until it is killed. */
export class CalledProcess<Of extends Calls<keyof Of>> {
  readonly #name: string
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #waiting = new Map<number, (told: Told) => void>()
  #lastId = 0
  #isKilled = false

  /** @param onend is told when it ends without having been killed. */
  constructor(script: string, name: string, onend: (error: Error) => void, execArgv: readonly string[] = []) {
    this.#name = name
    this.#child = fork(script, [], {
      execArgv: ['--import', 'tsx', '-C', '@covey/source', ...execArgv],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced'
    })
    this.#child.on('message', (told: Told) => this.#waiting.get(told.id)?.(told))
    this.#ended = once(this.#child, 'exit').then(([code, signal]) => {
      const error = new Error(`${name} ended ${this.#isKilled ? '' : 'by itself '}with ${code ?? signal}.`)
      for (const [id, settle] of this.#waiting) settle({ id, error: error.message, code: undefined })
      if (!this.#isKilled) onend(error)
    })
  }

  /** @throws {CallError} when it fails there, takes too long, or the process ends. */
  async call<Name extends keyof Of & string>(call: Name, given: Of[Name]['given']): Promise<Of[Name]['answer']> {
    const id = ++this.#lastId
    let timer: ReturnType<typeof setTimeout> | undefined
    const answered = new Promise<Told>((resolve) => {
      const fail = (error: string): void => resolve({ id, error, code: undefined })
      if (!this.#child.connected) return fail('The process has ended.')
      this.#waiting.set(id, resolve)
      timer = setTimeout(fail, CALL_TIMEOUT_MS, `No answer for ${CALL_TIMEOUT_MS} ms.`)
      this.#child.send({ id, call, given } satisfies Asked, (error) => void (error && fail(error.message)))
    })
    const told = await answered
    clearTimeout(timer)
    this.#waiting.delete(id)
    if ('error' in told) throw new CallError(`${this.#name}, ${call}: ${told.error}`, told.code)
    return told.answer
  }

  /** By SIGKILL. Idempotent. */
  async kill(): Promise<void> {
    this.#isKilled = true
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

/** In the process that is asked: answers, until whoever started it is gone. */
export function answerCalls<Of extends Calls<keyof Of>>(answers: Answers<Of>): void {
  process.on('message', ({ id, call, given }: Asked) => {
    const answer = answers[call as keyof Of]
    const tell = (told: Told): void => void process.send!(told)
    answer(given).then(
      (value) => tell({ id, answer: value }),
      (error: Error & { code?: string }) => tell({ id, error: String(error.stack), code: error.code })
    )
  })
  process.on('disconnect', () => process.exit(0))
}
