import { createPeer } from 'covey'
import { formatBytes } from './format.js'
import { plain } from './plain.js'
import { explain, SendError } from './send-error.js'
import type { SendCommand } from './command.js'

/** Gives a file to whoever has its link, which is all that is printed to the standard output, until `signal` ends it. */
export async function send({ path, network }: SendCommand, signal: AbortSignal): Promise<void> {
  await using peer = await createPeer({ network, signal })
  const file = await peer.files.share(path, { signal })
  file.on('error', (error) => console.error(explain(error)))
  const changed = new Promise<never>((_, reject) => {
    file.on('changed', () => reject(new SendError('The file is not what it was when it was shared.', 'Send it anew: the link is of what it was.')))
  })
  console.log(await file.link())
  console.error(`“${plain(file.name)}”, ${formatBytes(file.size ?? 0)}. Whoever has this link can get it, as long as this program runs. Ctrl-C ends it.`)
  await Promise.race([changed, aborted(signal)])
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}
