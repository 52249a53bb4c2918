import { fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Message } from 'covey'
import type { Call, Commands, PeerArguments, Report } from './peer.js'

const PROGRAM = fileURLToPath(new URL('./peer.ts', import.meta.url))

/** A step takes well under a second; a machine that is busy with other things gets some more. */
const STEP_LIMIT_MS = 20_000

type Result<Name extends keyof Commands> = Awaited<ReturnType<Commands[Name]>>

/** A person whose peer runs in a process of its own. */
export interface Person {
  readonly name: string
  readonly processId: number | undefined
  /** Has the person's program do something, and gives its answer. */
  ask<Name extends keyof Commands>(command: Name, ...args: Parameters<Commands[Name]>): Promise<Result<Name>>
  /** What somebody else wrote, once each, after the program was asked to `listen`. */
  nextMessage(): Promise<Message>
  /** Has the peer close, and resolves when the process has ended by itself. */
  end(): Promise<void>
}

/** Starts a person's program. When this process ends, the program ends with it, in whatever way. */
export async function startPerson(init: PeerArguments): Promise<Person> {
  const { name } = init
  const child = fork(PROGRAM, [JSON.stringify(init)])
  const kill = (): unknown => child.kill('SIGKILL')
  process.prependListener('exit', kill)

  const events = new EventEmitter()
  const messages: Message[] = []
  let calls = 0
  let broken: Error | undefined
  events.on('error', (error: Error) => (broken = error))
  child.on('error', (error) => events.emit('error', error))
  child.on('message', (report: Report) => {
    if (report.kind === 'message') messages.push(report.message)
    events.emit(report.kind === 'answer' ? `answer ${report.id}` : report.kind, report)
  })
  child.on('exit', (code, signal) => {
    process.off('exit', kill)
    events.emit('end')
    events.emit('error', new Error(`${name}'s process has ended, with ${signal ?? `code ${code}`}.`))
  })

  /** Waits for an event, which comes when the person does `what`. */
  async function until(event: string, what: string): Promise<unknown> {
    if (broken !== undefined) throw broken
    const signal = AbortSignal.timeout(STEP_LIMIT_MS)
    try {
      const [payload] = (await once(events, event, { signal })) as unknown[]
      return payload
    } catch (error) {
      throw signal.aborted ? new Error(`${name} did not ${what} within ${STEP_LIMIT_MS / 1000} s.`) : error
    }
  }

  const person: Person = {
    name,
    processId: child.pid,
    async ask<Name extends keyof Commands>(command: Name, ...args: Parameters<Commands[Name]>): Promise<Result<Name>> {
      const call: Call<Name> = { id: ++calls, command, args }
      // Where it cannot be sent, the process has ended, and that is an event.
      child.send(call, () => undefined)
      const { value, failure } = (await until(`answer ${call.id}`, command)) as Report & { kind: 'answer' }
      if (failure !== undefined) throw new Error(`${name} could not ${command}: ${failure}`)
      return value as Result<Name>
    },
    async nextMessage() {
      if (messages.length === 0) await until('message', 'hear from anyone')
      return messages.shift()!
    },
    async end() {
      const ended = until('end', 'end')
      ended.catch(() => undefined)
      await person.ask('close')
      child.disconnect()
      await ended
      if (child.exitCode !== 0) throw broken
    }
  }
  await until('ready', 'start')
  return person
}
