import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { assertSound, check, eventually, meet, texts, type Play } from './play.js'

/** The author is gone for good once mirrors have said that they have it; who slept all the while reads it. */
export async function authorGone({ random, person, mirror }: Play): Promise<void> {
  const mirrors = await Promise.all([mirror('one'), mirror('two')])
  const [alice, bob] = await Promise.all([person('Alice', ...mirrors), person('Bob', ...mirrors)])
  await meet(alice, bob)
  check((await bob.durable()) !== null, 'What Bob has said is not durable.')
  await bob.kill()
  const said = texts('while you sleep', 1 + random.below(20))
  await alice.say(said)
  const held = await alice.durable({ mirrors: 2 })
  await alice.lose()
  check(held?.mirrors.length === 2, 'It is not durable at two mirrors.', held)
  // One of them is enough.
  await random.pick(mirrors).kill()
  await bob.wake()
  await bob.reads(said)
  await assertSound(bob)
}

/** A mirror is killed while it is in use, and is back: people go on by it, and what it acknowledged is there. */
export async function mirrorKilled({ random, person, mirror }: Play): Promise<void> {
  const one = await mirror('one')
  const [alice, bob] = await Promise.all([person('Alice', one), person('Bob', one)])
  await meet(alice, bob)
  await bob.durable()
  await bob.kill()
  const said: string[] = []
  for (let round = 0; round < 3; round++) {
    const [acknowledged, others] = [texts(`${round} a`, 5), texts(`${round} b`, 1 + random.below(20))]
    await alice.say(acknowledged)
    check((await alice.durable()) !== null, `In round ${round} nothing becomes durable.`)
    const saying = alice.say(others)
    await one.kill()
    await saying
    check((await alice.room.durability()).mirrors.length === 0, 'A mirror that is dead has proven something.')
    await one.start()
    said.push(...acknowledged, ...others)
  }
  // Nobody was told of anything: it comes about by itself.
  check((await alice.durable()) !== null, 'A mirror that is back is not used again.')
  await alice.lose()
  await bob.wake()
  await bob.reads(said)
  await assertSound(bob)
}

/** A mirror loses all but its key: those who are there give it everything again. */
export async function mirrorWiped({ random, person, mirror }: Play): Promise<void> {
  const one = await mirror('one')
  const [alice, bob, carol] = await Promise.all([person('Alice', one), person('Bob', one), person('Carol', one)])
  await meet(alice, bob, carol)
  const said = [...texts('before', 5 + random.below(20))]
  await alice.say(said)
  await bob.reads(said)
  for (const each of [alice, bob, carol]) check((await each.durable()) !== null, `What ${each.name} has said is not durable.`)
  const { id } = await alice.room.send('the last word of Alice')
  check((await alice.durable()) !== null, 'It is not durable.')
  await bob.reads(['the last word of Alice'])
  await carol.kill()
  await alice.lose()
  await one.kill()
  await rm(join(one.storage, 'cores'), { recursive: true })
  check((await bob.room.durability(id)).mirrors.length === 0, 'A mirror that has lost everything has proven something.')
  await one.start()
  // Of Alice's writing too, who is gone: whoever is there gives it all that there is.
  check((await bob.durable({ message: id })) !== null, 'Nobody gives a mirror again what it has lost.')
  check((await bob.durable()) !== null, 'Nobody gives a mirror again what it has lost.')
  await bob.lose()
  await carol.wake()
  await carol.reads([...said, 'the last word of Alice'])
  await assertSound(carol)
}

/** A mirror is set back to what it was: it says what it has, catches up, and does no harm to anybody's log. */
export async function mirrorRolledBack({ random, person, mirror, folder }: Play): Promise<void> {
  const one = await mirror('one')
  const [alice, bob, carol] = await Promise.all([person('Alice', one), person('Bob', one), person('Carol', one)])
  await meet(alice, bob, carol)
  await alice.say(texts('old', 5))
  for (const each of [alice, bob, carol]) check((await each.durable()) !== null, `What ${each.name} has said is not durable.`)
  await carol.kill()
  await one.kill()
  const copy = join(folder, 'copy')
  await cp(one.storage, copy, { recursive: true })
  await one.start()

  const said = texts('new', 5 + random.below(50))
  await alice.say(said)
  check((await alice.durable()) !== null, 'A mirror that was restarted is not used.')
  await bob.reads(said)
  await bob.say(['I have read it'])
  check((await bob.durable()) !== null, 'A mirror that was restarted is not used.')
  const { id } = await alice.room.send('after all that')
  check((await alice.durable()) !== null, 'It is not durable.')
  await Promise.all([alice.kill(), bob.kill(), one.kill()])
  await rm(one.storage, { recursive: true })
  await cp(copy, one.storage, { recursive: true })
  await one.start()

  // Alone with the mirror, which learns nothing from her.
  await carol.wake()
  await carol.reads(texts('old', 5))
  check((await carol.texts()).every((text) => !said.includes(text)), 'The mirror was not set back.')
  await alice.wake()
  check((await alice.durable({ message: id })) !== null, 'A mirror that was set back does not catch up.')
  await alice.lose()
  await carol.reads([...said, 'after all that'])
  await bob.wake()
  await bob.say(['still here'])
  check((await bob.durable({ mirrors: 1, devices: 1 })) !== null, 'It does not catch up with Bob.')
  await carol.reads(['I have read it', 'still here'])
  const [his, hers] = await eventually(() => Promise.all([bob.texts(), carol.texts()]), ([a, b]) => a.join() === b.join(), 'They do not agree:')
  check(his.length === hers.length && new Set(his).size === his.length, 'Something is there twice.')
  await assertSound(bob, carol)
}
