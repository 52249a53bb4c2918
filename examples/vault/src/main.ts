/** A password vault that one's devices, and a family, have in common. `npm start` asks what to do; Ctrl-C ends it. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { createPeer, isCoveyError } from 'covey'
import { obey } from './obey.js'
import { readOptions } from './options.js'
import { Vault } from './vault.js'

const { storage, name, network, join } = readOptions(process.argv.slice(2))
const passphrase = process.env['VAULT_PASSPHRASE']
if (passphrase === undefined) throw new TypeError('VAULT_PASSPHRASE must be set: it seals what is on this disk')

const peer = await createPeer({ storage, name, network, passphrase })
const room = join === undefined ? (peer.rooms.list()[0] ?? (await peer.rooms.create({ name: 'Vault' }))) : await peer.rooms.join(join)
const vault = new Vault(room)
const { role } = await room.info()
if (role === 'owner') await vault.create()
console.log(`The vault is open. You are ${role ?? 'no member any more'}.`)

const lines = createInterface({ input: process.stdin })
process.once('SIGINT', () => lines.close())
/** One line after the other; what was begun is finished before the end. */
let done = Promise.resolve()
lines.on('line', (line) => {
  if (line.trim() === 'quit') lines.close()
  else done = done.then(() => obey(vault, line)).then(print, explain)
})
await once(lines, 'close')
await done
// A pipe that nobody ends would keep the program.
process.stdin.destroy()
await peer.close()

/** What others have written, without what a terminal would obey. */
function print(text: string): void {
  console.log(text.replace(/[^\P{C}\n]/gu, ''))
}

function explain(error: unknown): void {
  if (!isCoveyError(error)) throw error
  print(`${error.message} ${error.hint ?? ''}`)
}
