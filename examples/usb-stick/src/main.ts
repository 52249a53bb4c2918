/** A chat whose messages are carried on a stick. The README says how to use it. */
import { once } from 'node:events'
import { createPeer, isCoveyError } from 'covey'
import { exchange } from './exchange.js'
import { readOptions } from './options.js'

const { storage, name, network, stick, join, isInviting, text } = readOptions(process.argv.slice(2))
const peer = await createPeer({ storage, name, network })
try {
  const room = join === undefined ? (peer.rooms.list()[0] ?? (await peer.rooms.create({ name: 'Stick' }))) : await peer.rooms.join(join)
  if (isInviting) {
    console.log(await room.createInvite({ uses: 1 }))
    // Whoever comes in has to meet somebody once.
    await once(process, 'SIGINT')
  }
  if (text !== '') await room.send(text)
  if (stick !== undefined) {
    const { taken, isLeft } = await exchange(peer, room, stick)
    console.error(`${taken} blocks were new.${isLeft ? '' : ' Something on the stick cannot be read yet: it was left as it is.'}`)
    // What others have written, without what a terminal would obey.
    for await (const message of room.messages()) console.log(`${message.authorName}: ${message.text}`.replace(/\p{C}/gu, ''))
  }
} catch (error) {
  if (!isCoveyError(error)) throw error
  console.error(`${error.message} ${error.hint ?? ''}`)
  process.exitCode = 1
} finally {
  await peer.close()
}
