import { resolve } from 'node:path'
import type { Room } from 'covey'

const EXPIRES_IN_MS = 24 * 60 * 60 * 1_000

/** Makes an invite, and gives the command to join by it in another terminal, also on this machine. */
export async function createInvitation(room: Room, storage: string, local: string | undefined): Promise<string> {
  const invite = await room.createInvite({ expiresInMs: EXPIRES_IN_MS })
  const folder = resolve(storage) === resolve('./guest') ? './chat' : './guest'
  const network = local === undefined ? '' : ` --local ${local}`
  return `Within a day, in another terminal:\n\n  npm start -- join ${invite}${network} --storage ${folder} --name Guest\n`
}
