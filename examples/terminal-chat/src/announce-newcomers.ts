import type { Room } from 'covey'
import { plainName } from './plain-text.js'
import type { Screen } from './screen.js'

/** From now on, says who joins, once their name has arrived. */
export async function announceNewcomers(room: Room, screen: Screen): Promise<void> {
  const known = new Set((await room.members()).map(({ id }) => id))
  room.on('update', async () => {
    for (const { id, name } of await room.members()) {
      if (known.has(id) || name === '') continue
      known.add(id)
      screen.print(`${plainName(name)} has joined.`)
    }
  })
}
