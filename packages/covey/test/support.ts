import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { createPeer, localNetwork, type Message, type Network, type Peer, type PeerInit, type Room } from 'covey'
import { createLocalNetwork, type LocalNetwork } from '@covey/testing'

/** The first of the official BIP-39 test vectors with 24 words. */
export const PHRASE = `${'abandon '.repeat(23)}art`

/** A local DHT for all tests of a file. */
export function useLocalNetwork(): { readonly network: Network } {
  let local: LocalNetwork | undefined
  beforeAll(async () => void (local = await createLocalNetwork()))
  afterAll(() => local?.close())
  return {
    get network() {
      return localNetwork(local!.bootstrap)
    }
  }
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'covey-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Makes an empty folder the place of temporary files for the rest of the test. */
export async function useTemporaryFolder(): Promise<string> {
  const before = process.env['TMPDIR']
  const folder = await temporaryFolder()
  process.env['TMPDIR'] = folder
  onTestFinished(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  })
  return folder
}

/** A peer that is closed at the end of the test. */
export async function start(init: PeerInit): Promise<Peer> {
  const peer = await createPeer(init)
  onTestFinished(() => peer.close())
  return peer
}

/** The messages of a room as they come, until there is one of this text. */
export async function receive(room: Room, text: string): Promise<Message> {
  for await (const message of room.messages({ live: true, pending: false })) if (message.text === text) return message
  throw new Error('the room ended')
}

export async function textsOf(room: Room): Promise<string[]> {
  const texts: string[] = []
  for await (const { text } of room.messages()) texts.push(text)
  return texts
}

/** Another process that has a peer open in `storage`, until it is killed. */
export async function openInAnotherProcess(storage: string, network: Network): Promise<{ kill(): Promise<void> }> {
  const script = fileURLToPath(new URL('hold-peer.ts', import.meta.url))
  const args = ['--import', 'tsx', '-C', '@covey/source', script, storage, JSON.stringify(network)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  onTestFinished(kill)
  const said = await Promise.race([once(child.stdout, 'data').then(String), exited.then(() => 'nothing')])
  if (said.trim() !== 'open') throw new Error(`the other process said ${said}`)
  return { kill }
}

/** The code that a call fails with, or `null` when it succeeds. */
export async function codeOf(call: () => unknown): Promise<string | null> {
  try {
    await call()
    return null
  } catch (error) {
    if (error instanceof TypeError) return 'TypeError'
    return (error as { code?: string }).code ?? String(error)
  }
}
