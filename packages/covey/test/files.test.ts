import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Room } from 'covey'
import { start, temporaryFolder, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

it('a file that is sent in a room is had by its members', async () => {
  const { network } = net
  const [alice, bob] = [await start({ network, name: 'Alice' }), await start({ network, name: 'Bob' })]
  const room = await alice.rooms.create({ name: 'Tea' })
  const joined = await bob.rooms.join(await room.createInvite())
  const desk = await temporaryFolder()
  const bytes = randomBytes(900_000)
  await writeFile(join(desk, 'cake.jpg'), bytes)
  const preview = { type: 'image/png', data: new Uint8Array(60_000).fill(7) }
  const cake = await alice.files.share(join(desk, 'cake.jpg'), { type: 'image/jpeg', width: 640, height: 480, preview })
  await room.send(cake.content)

  const file = bob.files.open(await contentOf(joined))
  expect(file).toMatchObject({ name: 'cake.jpg', type: 'image/jpeg', size: 900_000, width: 640, height: 480, preview, isOwn: false })
  expect((await readFile(await file.saveTo(await temporaryFolder()))).equals(bytes)).toBe(true)
})

async function contentOf(room: Room) {
  for await (const { content } of room.messages({ live: true })) if (content !== undefined) return content
  throw new Error('the room ended')
}
