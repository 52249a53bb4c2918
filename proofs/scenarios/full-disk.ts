import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { mountSmallDisk } from '../../packages/mirror/test/small-disk.js'
import { assertSound, check, eventually, meet, texts, type Play } from './play.js'

/** What the mirror is told to leave free. */
const MIN_FREE_BYTES = 20_000_000

/** The disk of a mirror is full: it says so, gives what it has, and takes more when there is room. */
export async function diskFull({ random, person, mirror, folder }: Play): Promise<void> {
  await mkdir(join(folder, 'one'))
  const disk = mountSmallDisk(join(folder, 'one'))
  if (typeof disk === 'string') return console.log(disk)
  try {
    const one = await mirror('one', { options: ['--min-free-bytes', `${MIN_FREE_BYTES}`] })
    const [alice, bob, carol] = await Promise.all([person('Alice', one), person('Bob', one), person('Carol', one)])
    await meet(alice, bob, carol)
    const said = texts('there is room', 5 + random.below(20))
    await alice.say(said)
    for (const each of [alice, bob, carol]) check((await each.durable()) !== null, `What ${each.name} has said is not durable.`)
    const { id } = await alice.room.send('the last of it')
    check((await alice.durable()) !== null, 'It is not durable.')
    await Promise.all([bob.kill(), carol.kill()])

    // Fuller than it is to be.
    disk.fill(MIN_FREE_BYTES / 2)
    await eventually(async () => {
      await alice.say(['is there room?'])
      return alice.heard()
    }, ({ refused }) => refused.some(({ code }) => code === 'MIRROR_FULL'), 'A mirror whose disk is full refuses nothing:')
    check((await alice.durable({}, 2_000)) === null, 'What was refused is durable.')
    check((await alice.room.durability(id)).mirrors.length === 1, 'What it has it does not prove any more.')
    await alice.kill()
    await bob.wake()
    await bob.reads([...said, 'the last of it'])
    await bob.kill()

    // There is room again, and then not a byte.
    disk.empty()
    await alice.wake()
    check((await alice.durable()) !== null, 'Now that there is room, it takes nothing more.')
    disk.fill(0)
    check((await alice.room.durability(id)).mirrors.length === 1, 'What it has it does not prove any more.')
    disk.empty()
    check((await alice.durable()) !== null, 'Now that there is room, it takes nothing more.')
    await alice.lose()
    await carol.wake()
    await carol.reads([...said, 'the last of it', 'is there room?'])
    await assertSound(carol)
  } finally {
    disk.unmount()
  }
}
