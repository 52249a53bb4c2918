import { createPeer, type SharedFile } from 'covey'
import type { GetCommand } from './command.js'
import { formatBytes } from './format.js'
import { plain } from './plain.js'
import { showProgress } from './progress-bar.js'

/** Saves the file of a link, and prints its path, which alone goes to the standard output. */
export async function get({ link, folder, storage, network }: GetCommand, signal: AbortSignal): Promise<void> {
  await using peer = await createPeer({ network, signal, ...(storage !== undefined && { storage }) })
  const file = peer.files.open(link)
  const size = file.size === null ? 'of a size that is not known yet' : formatBytes(file.size)
  console.error(`“${plain(file.name)}”, ${size}. Looking for somebody who has it…`)
  try {
    // The name in it has been made safe for any terminal, too.
    console.log(await save(file, folder, signal))
  } catch (error) {
    // Nothing could go on from what was not remembered.
    if (storage === undefined) await file.forget()
    else if (signal.aborted) console.error('What has arrived is kept: the same command goes on from there.')
    throw error
  }
}

async function save(file: SharedFile, folder: string, signal: AbortSignal): Promise<string> {
  const bar = showProgress(file, process.stderr)
  try {
    return await file.saveTo(folder, { signal })
  } finally {
    bar.end()
  }
}
