// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="./runtime.d.ts" />
import { link, mkdir, open, readdir, readFile as readWhole, rename, rm, stat } from '#fs'
import { encodeZ32 } from '@covey/core'
import { randomBytes } from './crypto.js'

/** Far more than any secret takes. What is larger was not written by this package. */
const MAX_FILE_BYTES = 1 << 20

export async function createFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
}

export async function readFile(folder: string, name: string): Promise<Uint8Array | null> {
  const path = pathOf(folder, name)
  try {
    // No bytes are a damaged file to whoever reads them.
    const { size } = await stat(path)
    if (size > MAX_FILE_BYTES) return new Uint8Array(0)
    return Uint8Array.from(await readWhole(path))
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

/** Whether the file was made; `false` when one with that name is there. */
export async function createFile(folder: string, name: string, bytes: Uint8Array): Promise<boolean> {
  const temporary = await writeTemporary(folder, name, bytes)
  const path = pathOf(folder, name)
  try {
    // Unlike a rename, a hard link never replaces what another opener has just put there.
    await link(temporary, path)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES')) throw error
    // File systems without hard links (FAT, some of Android's).
    if ((await readFile(folder, name)) !== null) return false
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
  await syncFolder(folder)
  return true
}

export async function replaceFile(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = await writeTemporary(folder, name, bytes)
  try {
    await rename(temporary, pathOf(folder, name))
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(folder)
  await removeTemporaries(folder, name)
}

export async function removeFile(folder: string, name: string): Promise<void> {
  await rm(pathOf(folder, name), { force: true })
  await removeTemporaries(folder, name)
}

async function writeTemporary(folder: string, name: string, bytes: Uint8Array): Promise<string> {
  const path = pathOf(folder, `${name}.${encodeZ32(randomBytes(10))}.tmp`)
  const file = await open(path, 'wx', 0o600)
  try {
    let offset = 0
    while (offset < bytes.length) offset += (await file.write(bytes, offset)).bytesWritten
    await file.sync()
  } finally {
    await file.close()
  }
  return path
}

/** What a crash left behind would still open with the passphrase of that time. */
async function removeTemporaries(folder: string, name: string): Promise<void> {
  for (const entry of await readEntries(folder)) {
    if (entry.startsWith(`${name}.`) && entry.endsWith('.tmp')) await rm(pathOf(folder, entry), { force: true })
  }
}

async function readEntries(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}

/** Makes the new name durable. Where a folder cannot be opened (Windows), the system sees to it. */
async function syncFolder(folder: string): Promise<void> {
  let file
  try {
    file = await open(folder, 'r')
    await file.sync()
  } catch {
    // Neither can it be refused usefully: the file itself is in place.
  } finally {
    await file?.close()
  }
}

/** Forward slashes are understood everywhere, by Windows too. */
function pathOf(folder: string, name: string): string {
  return `${folder}/${name}`
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes((error as { code?: string } | null)?.code ?? '')
}
