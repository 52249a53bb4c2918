import { execFileSync } from 'node:child_process'
import { appendFileSync, rmSync, statfsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { assertSound, check, eventually, meet, texts, type Play } from './play.js'

/** The database alone takes 75 MB at once. */
const DISK_MB = 160
/** What the mirror is told to leave free. */
const MIN_FREE_BYTES = 20_000_000

/** A disk of its own for a folder, or why there can be none. */
export function smallDisk(folder: string): (() => void) | string {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'covey-full-disk', folder], { stdio: 'pipe' })
  } catch (error) {
    return `No small disk can be mounted here. ${(error as Error).message.trim()}`
  }
  return () => void execFileSync('umount', ['-l', folder])
}

/** Leaves so many bytes, and no more. */
function fill(disk: string, leave: number): void {
  const chunk = Buffer.alloc(65_536)
  try {
    for (let free = freeBytes(disk) - leave; free > 0; free = freeBytes(disk) - leave) {
      appendFileSync(join(disk, 'ballast'), chunk.subarray(0, Math.min(free, chunk.length)))
    }
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOSPC') throw error
  }
}

function freeBytes(disk: string): number {
  const { bavail, bsize } = statfsSync(disk)
  return bavail * bsize
}

/** The disk of a mirror is full: it says so, gives what it has, and takes more when there is room. */
export async function diskFull({ random, person, mirror, folder }: Play): Promise<void> {
  const disk = join(folder, 'one')
  await mkdir(disk)
  const unmount = smallDisk(disk)
  if (typeof unmount === 'string') return console.log(`Skipped: ${unmount}`)
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
    fill(disk, MIN_FREE_BYTES / 2)
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
    rmSync(join(disk, 'ballast'))
    await alice.wake()
    check((await alice.durable()) !== null, 'Now that there is room, it takes nothing more.')
    fill(disk, 0)
    check((await alice.room.durability(id)).mirrors.length === 1, 'What it has it does not prove any more.')
    rmSync(join(disk, 'ballast'))
    check((await alice.durable()) !== null, 'Now that there is room, it takes nothing more.')
    await alice.lose()
    await carol.wake()
    await carol.reads([...said, 'the last of it', 'is there room?'])
    await assertSound(carol)
  } finally {
    unmount()
  }
}
