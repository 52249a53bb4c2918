import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** The laboratory lies beside the repository, not in it. */
const SOURCE = process.env['NATLAB'] ?? join(ROOT, '../shared/natlab')
/** Our peer program; those of the laboratory are named by their path in it. */
export const COVEY = join(ROOT, 'packages/transport/natlab/covey')
export const STOCK = 'peers/hyperswarm.mjs'

const SWEEP_INTERVAL_MS = 2_000
/** On a busy machine a program of the laboratory may start too late for it, which ends the whole suite. */
const MAX_TRIES = 3

/** Why the laboratory cannot be used here, or null when it can. */
export function whyNoLaboratory(): string | null {
  if (!existsSync(join(SOURCE, 'natlab.mjs'))) return `the NAT laboratory is not at ${SOURCE} (NATLAB names another place)`
  if (process.getuid?.() !== 0) return 'the NAT laboratory needs root'
  const missing = ['ip', 'nft', 'conntrack', 'cc'].filter((program) => !runs('sh', ['-c', `command -v ${program}`]))
  if (missing.length > 0) return `the NAT laboratory needs ${missing.join(', ')}`
  const probe = `lab-probe-${process.pid}`
  const isAllowed = runs('ip', ['netns', 'add', probe]) && runs('ip', ['netns', 'exec', probe, 'nft', 'list', 'tables'])
  runs('ip', ['netns', 'del', probe])
  return isAllowed ? null : 'network namespaces are not allowed here'
}

/** Of its `lib/lab.mjs`, what is used here. */
export interface LaboratoryParts {
  readonly Lab: new (options: object) => Lab
}

export interface Lab {
  readonly net: {
    site(type: string, options: { readonly hosts: number }): Site
    rmSite(site: Site): void
    cut(site: Site): void
  }
  up(): Promise<void>
  down(): Promise<void>
  peer(script: string, host: object, config: object): Promise<LabPeer>
  kind(remote: string): string
}

export interface Site {
  readonly hosts: readonly object[]
}

export interface LabPeer {
  readonly events: readonly LabEvent[]
  send(command: object): void
  /** Null when it does not come in time. */
  wait(event: string | ((event: LabEvent) => boolean), ms: number): Promise<LabEvent | null>
  kill(): Promise<void>
}

/** Something that a peer has told; `t` in Unix milliseconds. */
export interface LabEvent {
  readonly ev: string
  readonly t: number
  readonly address?: string
  readonly remote?: string
}

export interface Laboratory {
  readonly folder: string
  /** Runs one suite, shows what it prints, and resolves with its result. */
  run(suite: string, options: readonly string[]): Promise<unknown>
  /** The parts that it is made of, for what no suite of it does. Peers that are started by them find it. */
  parts(): Promise<LaboratoryParts>
  close(): void
}

/** A copy of the laboratory, which writes beside its sources, with our dependencies. */
export function openLaboratory(): Laboratory {
  const folder = mkdtempSync(join(tmpdir(), 'natlab-'))
  const peers = join(folder, 'folders')
  cpSync(SOURCE, folder, { recursive: true })
  mkdirSync(peers)
  // All that is installed, also what only a dependency of ours needs.
  symlinkSync(join(ROOT, 'node_modules/.pnpm/node_modules'), join(folder, 'node_modules'))
  const sweeper = setInterval(() => sweep(peers), SWEEP_INTERVAL_MS)
  return {
    folder,
    async run(suite, options) {
      const file = join(folder, `${suite}.json`)
      const args = [join(folder, 'natlab.mjs'), suite, ...options, '--out', file]
      let end: number | string | null = null
      for (let i = 0; i < MAX_TRIES && end !== 0; i++) {
        if (i > 0) console.log(`The suite ${suite} ended with ${end}, and is run again.`)
        const env = { ...process.env, NATLAB: folder, NATLAB_PEERS: peers }
        const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'inherit', 'inherit'] })
        const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
        end = code ?? signal
      }
      if (end !== 0) throw new Error(`The suite ${suite} ended with ${end}.`)
      return (JSON.parse(readFileSync(file, 'utf8')) as { result: unknown }).result
    },
    async parts() {
      Object.assign(process.env, { NATLAB: folder, NATLAB_PEERS: peers })
      return (await import(pathToFileURL(join(folder, 'lib/lab.mjs')).href)) as LaboratoryParts
    },
    close() {
      clearInterval(sweeper)
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** Removes the folders of the peers that have ended: they are killed, and each has taken 75 MB. */
function sweep(peers: string): void {
  for (const name of readdirSync(peers)) {
    if (/^\d+$/.test(name) && !existsSync(`/proc/${name}`)) rmSync(join(peers, name), { recursive: true, force: true })
  }
}

function runs(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
