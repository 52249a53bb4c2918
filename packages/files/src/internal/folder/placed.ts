import { encodeZ32 } from '@covey/core'
import hypercoreCrypto from 'hypercore-crypto'
import type { Offer } from '../../offer.js'
import { coreKey } from '../crypto.js'
import { isSame, type OpenFile } from '../open-file.js'
import type { Stamp } from '../place.js'
import type { Directory } from './directory.js'
import type { FolderState, Version } from './state.js'

/** A version that is, or was, in a file of the directory. */
export interface Placed {
  readonly version: Version
  readonly opened: OpenFile
  /** Where, and what the file was like then. */
  readonly path: string
  readonly stamp: Stamp
  /** Whether the file is what it was. */
  readonly isHere: boolean
}

const ids = new WeakMap<Offer, string>()

/** The id of an offered file. */
export function fileIdOf(offer: Offer): string {
  const id = ids.get(offer) ?? encodeZ32(hypercoreCrypto.discoveryKey(coreKey(offer)))
  ids.set(offer, id)
  return id
}

/** Where a version is in the directory, as the record of its file says: what is known over a restart is there, and nowhere else. */
export function placeOf(directory: Directory, version: Version, opened: OpenFile | undefined, stampOf: (path: string) => Stamp | undefined): Placed | undefined {
  const { path: record } = opened?.record ?? {}
  if (record?.stamp === undefined) return undefined
  const path = directory.relative(record.path)
  // Not what was put away.
  if (path === undefined || path.startsWith('.')) return undefined
  return { version, opened: opened!, path, stamp: record.stamp, isHere: isSame(record.stamp, stampOf(path)) }
}

/** Files of the directory that were versions of the folder, until the room took them back, or too many came after them. */
export function takenBack(
  directory: Directory,
  state: FolderState,
  folder: string,
  all: Iterable<OpenFile>,
  files: ReadonlyMap<string, Stamp>
): Map<string, OpenFile> {
  const known = new Set(state.paths().flatMap((path) => state.versions(path).map(({ offer }) => offer && fileIdOf(offer))))
  const found = new Map<string, OpenFile>()
  for (const opened of all) {
    const { path: record, folder: of } = opened.record
    if (of !== folder || record?.stamp === undefined || known.has(opened.id)) continue
    const path = directory.relative(record.path)
    if (path !== undefined && isSame(record.stamp, files.get(path))) found.set(path, opened)
  }
  return found
}

/**
 * Versions that are kept out of a directory, as another one that stands is the same file: a file has one place. The first by path
 * and id has it, so that it does not matter in which order they came.
 */
export function doublesOf(state: FolderState): ReadonlySet<Version> {
  const first = new Map<string, Version>()
  const doubles = new Set<Version>()
  for (const version of state.paths().flatMap((path) => state.files(path))) {
    const file = fileIdOf(version.offer!)
    const other = first.get(file)
    const isFirst = other === undefined || version.path < other.path || (version.path === other.path && version.id < other.id)
    if (isFirst) first.set(file, version)
    if (other !== undefined) doubles.add(isFirst ? other : version)
  }
  return doubles
}

/** What each file of the directory is a version of, or was before it was changed or removed. */
export function placedIn(
  directory: Directory,
  state: FolderState,
  find: (offer: Offer) => OpenFile | undefined,
  files: ReadonlyMap<string, Stamp>
): Map<string, Placed> {
  const placed = new Map<string, Placed>()
  const doubles = doublesOf(state)
  const rank = ({ isHere, version }: Placed): number => (isHere ? 2 : 0) + (state.stands(version) ? 1 : 0)
  for (const path of state.paths()) {
    for (const version of state.versions(path)) {
      const isNone = version.offer === undefined || doubles.has(version)
      const at = isNone ? undefined : placeOf(directory, version, find(version.offer!), (where) => files.get(where))
      const other = at && placed.get(at.path)
      if (at !== undefined && (other === undefined || rank(at) >= rank(other))) placed.set(at.path, at)
    }
  }
  return placed
}
