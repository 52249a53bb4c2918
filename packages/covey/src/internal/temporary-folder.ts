// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="./runtime.d.ts" />
import { mkdtemp, rm } from '#fs'
import { tmpdir } from '#os'

export interface TemporaryFolder {
  readonly path: string
  remove(): Promise<void>
}

export async function createTemporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(`${tmpdir()}/covey-`)
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}
