import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { LocalNetwork } from '@covey/testing'
import type { Lie } from './liar.js'

const COMMAND = fileURLToPath(new URL('../../packages/mirror/src/cli.ts', import.meta.url))
const LIAR = fileURLToPath(new URL('liar.ts', import.meta.url))

/** What a mirror is like. */
export interface MirrorWay {
  /** In place of an honest one. */
  readonly lie?: Lie
  /** On its command line. */
  readonly options?: readonly string[]
}

export interface MirrorInit extends MirrorWay {
  readonly storage: string
  readonly network: LocalNetwork
  /** Its process has ended by itself. */
  readonly onend: (error: Error) => void
}

/** A machine with a folder, and mostly with a process: `covey-mirror`, or one that lies. */
export class MirrorProcess {
  readonly storage: string
  readonly #init: MirrorInit
  #child: ChildProcess | undefined
  #said: ReadonlyMap<string, string> = new Map<string, string>()

  constructor(init: MirrorInit) {
    this.#init = init
    this.storage = init.storage
  }

  /** What it prints; the same each time. */
  get link(): string {
    return this.#said.get('mirror')!
  }

  async start(): Promise<void> {
    const { storage, network, lie, options = [], onend } = this.#init
    const bootstrap = network.bootstrap.flatMap(({ host, port }) => ['--bootstrap', `${host}:${port}`])
    const command = lie === undefined ? [COMMAND, 'mirror', '--storage', storage, '--mirror-metrics-port', '0', ...bootstrap, ...options] : [LIAR, lie, storage, ...bootstrap]
    const child = spawn(process.execPath, ['--import', 'tsx', '-C', '@covey/source', ...command], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    child.once('exit', (code, signal) => {
      if (this.#child === child) onend(new Error(`A mirror ended by itself, with ${code ?? signal}.`))
    })
    const said = new Map<string, string>()
    const last = lie === undefined ? 'mirror-metrics' : 'mirror'
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [word, value] = line.split(' ')
        said.set(word!, value ?? '')
        if (word === last) resolve()
      })
      child.once('exit', () => reject(new Error('A mirror does not start.')))
    })
    if (this.#said.size > 0 && said.get('mirror') !== this.link) throw new Error('The mirror is another than before.')
    this.#said = said
  }

  /** Whether it has printed a line that begins with this word, since it was started. */
  hasSaid(word: string): boolean {
    return this.#said.has(word)
  }

  /** By SIGKILL. Idempotent. */
  async kill(): Promise<void> {
    const killed = this.#child
    this.#child = undefined
    if (killed?.kill('SIGKILL') && killed.exitCode === null) await once(killed, 'exit')
  }

  /** What its metrics say. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(this.#said.get('mirror-metrics')!)).text()
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)![1])
  }
}
