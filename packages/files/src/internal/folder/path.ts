import { encodeUtf8 } from '@covey/core'
import { MAX_FOLDER_DEPTH, MAX_FOLDER_PATH_BYTES } from '../../constants.js'
import { numberedName, safeName } from '../safe-name.js'

/**
 * Whether `path` is one of a folder: at most {@link MAX_FOLDER_DEPTH} names joined by `/`, each of which can be a file's on every
 * system, is not hidden, and is as Unicode composes it (NFC); in all at most {@link MAX_FOLDER_PATH_BYTES} as UTF-8.
 *
 * @example
 * ```ts
 * import { isFolderPath } from '@covey/files'
 *
 * console.log(isFolderPath('2026/Tea & cake.jpg'), isFolderPath('../.bashrc'))
 * ```
 */
export function isFolderPath(path: string): boolean {
  if (encodeUtf8(path).length > MAX_FOLDER_PATH_BYTES) return false
  const names = path.split('/')
  return names.length <= MAX_FOLDER_DEPTH && names.every((name) => safeName(name) === name)
}

/** The last name of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** The path of the folder that it is in, with a `/` at its end; `''` at the top. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}

/** Where a version is put that is not the entry of its path, or that finds its place taken. */
export function conflictPath(path: string, authorName: string, version: string): string {
  const name = nameOf(path)
  const dot = name.lastIndexOf('.')
  const [stem, ending] = dot <= 0 ? [name, ''] : [name.slice(0, dot), name.slice(dot)]
  // All versions of one message have its id before the dot.
  const mark = `${version.slice(0, 6)}${version.slice(version.indexOf('.') + 1)}`
  const author = safeName(Array.from(authorName).slice(0, 24).join('') || 'somebody')
  return parentOf(path) + safeName(`${Array.from(stem).slice(0, 40).join('')} (conflict, ${author}, ${mark})${ending}`)
}

/** The path with a number, for when it is taken. */
export function numberedPath(path: string, number: number): string {
  return parentOf(path) + numberedName(nameOf(path), number)
}
