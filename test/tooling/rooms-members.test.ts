import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createLocalNetwork } from '@covey/testing'
import { build, startPeer } from '../../bench/members/processes.js'

// `pnpm bench rooms-members` does the same with thousands, and measures it.
test('simulated members are members to whoever joins, and what they say is read', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'covey-members-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const network = await createLocalNetwork()
  onTestFinished(() => network.close())
  const { bootstrap } = network
  const storage = join(folder, 'owner')
  const { invite } = await build({ storage, bootstrap, members: 9, messages: 5 })

  const start = (name: string, members: number): ReturnType<typeof startPeer> => {
    const peer = startPeer({ name, storage: join(folder, name), bootstrap, last: 5, members })
    onTestFinished(peer.end)
    return peer
  }
  const [owner, newcomer] = [start('owner', 10), start('newcomer', 11)]
  await owner.reopen()
  await newcomer.start()
  expect((await newcomer.join(invite)).receivedKb).toBeGreaterThan(0)
  await newcomer.listen()
  await owner.listen()
  const [sentAt, heard] = await Promise.all([newcomer.talk(['hello'], 0), owner.heard(['hello'])])
  expect(heard.atMs['hello']).toBeGreaterThan(sentAt['hello']!)
})
