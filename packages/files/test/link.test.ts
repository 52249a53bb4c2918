import { describe, expect, it } from 'vitest'
import { decodeLink } from '@covey/core'
import { MAX_PREVIEW_BYTES } from '@covey/files'
import { codeOf, digest, startPeer, useLocalNetwork, writeRandom } from './support.js'

const local = useLocalNetwork()

describe('a link', () => {
  it('gives the file to whoever has it, without a room, also after a restart', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    const { path, bytes } = await writeRandom(alice, 'film', 700_000)
    const shared = await alice.files.share(path, { preview: { type: 'image/png', data: new Uint8Array(MAX_PREVIEW_BYTES) } })
    const link = await shared.link()
    expect(decodeLink(link, { kind: 'file' }).body.length).toBeLessThan(100)
    await alice.restart()
    const file = bob.files.open(link)
    expect(file).toMatchObject({ name: 'film', size: 700_000, id: shared.id })
    expect(digest(await file.bytes({ maxBytes: 700_000, signal: AbortSignal.timeout(20_000) }))).toBe(digest(bytes))
  })

  it('finds nobody when it was taken back', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    const { path } = await writeRandom(alice, 'film', 700_000)
    const shared = await alice.files.share(path)
    const link = await shared.link()
    await shared.unlink()
    const again = await alice.restart()
    expect(again.files.get(shared.id)).toBeDefined()
    expect(await codeOf(() => bob.files.open(link).bytes({ maxBytes: 700_000, signal: AbortSignal.timeout(3_000) }))).toBe(23)
  })
})
