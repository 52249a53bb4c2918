// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="./runtime.d.ts" />
import { mkdir, mkdtemp, rm } from '#fs'
import { tmpdir } from '#os'

export interface Folder {
  readonly path: string
  /** Removes it, if it is a temporary one. */
  release(): Promise<void>
}

/** The folder of a bot, made if need be; a temporary one for `undefined`. */
export async function openFolder(storage: string | undefined): Promise<Folder> {
  if (storage !== undefined) {
    await mkdir(storage, { recursive: true })
    return { path: storage, release: async () => undefined }
  }
  const path = await mkdtemp(`${tmpdir()}/covey-bot-`)
  return { path, release: () => rm(path, { recursive: true, force: true }) }
}
