import { decodeMirrorLink } from '../../packages/mirror/src/mirror-link.js'
import { encodeZ32 } from '@covey/core'
import type { MirrorProcess } from './mirror.js'
import { assertSound, check, eventually, letIn, meet, texts, type Play } from './play.js'

/** In which nothing that is true comes about by a lie. */
const LIE_MS = 5_000

const idOf = ({ link }: MirrorProcess): string => encodeZ32(decodeMirrorLink(link).publicKey)

/** All mirrors lie: nobody believes them, they are reported, and people go on among themselves. */
export async function mirrorsLie({ random, person, mirror }: Play): Promise<void> {
  const [claims, spoils, stale] = await Promise.all((['claims', 'spoils', 'stale'] as const).map((lie) => mirror(lie, { lie })))
  const mirrors = [claims!, spoils!, stale!]
  const [alice, bob, carol] = await Promise.all([person('Alice', ...mirrors), person('Bob', ...mirrors), person('Carol', ...mirrors)])
  await meet(alice, bob)
  await eventually(() => alice.reached(), (ids) => ids.length === 3, 'Not all mirrors are met:')
  await bob.kill()
  const said = texts('among us', 5 + random.below(20))
  await alice.say(said)
  const durable = await alice.durable({}, LIE_MS)
  check(durable === null, 'What no mirror holds is durable:', durable)
  const { mirrors: proven } = await alice.room.durability()
  check(proven.length === 0, 'A mirror that lies has proven something:', proven)
  const liars = [idOf(claims!), idOf(spoils!)]
  const { lied } = await eventually(() => alice.heard(), (heard) => liars.every((id) => heard.lied.includes(id)), 'Not all who lied are reported:')
  check(!lied.includes(idOf(stale!)), 'Who has less, and says so, is taken for a liar.')
  const { mirrors: health } = await alice.room.health()
  check(health.every(({ missingBlocks }) => missingBlocks !== 0), 'By its health the room is held.', health)

  // Bob, who slept, is given wrong blocks, and takes none of them; when Alice is there he has the true ones of her.
  await alice.kill()
  await bob.wake()
  await eventually(async () => spoils!.hasSaid('spoiled'), Boolean, 'Nobody was given a wrong block.')
  check((await bob.texts()).every((text) => text === 'hello' || said.includes(text)), 'Bob reads what nobody has said.')
  await alice.wake()
  await letIn(alice, carol)
  for (const each of [bob, carol]) await each.reads(said)
  await bob.say(['I have all of it'])
  await carol.say(['so do I'])
  for (const each of [alice, bob, carol]) await each.reads(['I have all of it', 'so do I'])
  check((await alice.durable({ mirrors: 0, devices: 2 })) !== null, 'What two others have is not durable.')
  await assertSound(alice, bob, carol)
}
