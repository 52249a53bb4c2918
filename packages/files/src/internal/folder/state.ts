import { MAX_FOLDER_PATHS, MAX_FOLDER_VERSIONS } from '../../constants.js'
import type { FolderChange, FolderChanges, VersionId } from '../../folder-content.js'
import type { FolderMessage } from '../../folder.js'
import type { Offer } from '../../offer.js'

/** One change, with who made it. */
export interface Version {
  readonly id: string
  readonly message: string
  readonly path: string
  readonly author: string
  readonly authorName: string
  readonly changedAt: number
  /** Absent where it removes. */
  readonly offer?: Offer
  readonly replaces: readonly string[]
}

/** Who wrote a change, and when. */
export type ChangeSource = Pick<FolderMessage, 'id' | 'author' | 'authorName' | 'sentAt'>

interface PathState {
  /** In the order in which they came, which is causal: what a version has seen came before it. */
  readonly versions: Map<string, Version>
  /** The ids of those that others replace, there or not. */
  replaced: Set<string>
  /** Of them those that are there, in the order in which they came to be replaced. */
  past: Set<string>
}

/** How many changes of a message count at one path: who mirrors a directory may have several removals to tell of. */
const MAX_CHANGES_OF_PATH = 32

/**
 * What is in a folder: the versions of each path, of which those stand that no other replaces. It is the same whatever order the
 * changes come in, and whoever has them: what a version replaces is a part of it, and nobody's clock counts.
 */
export class FolderState {
  readonly #paths = new Map<string, PathState>()
  readonly #messages = new Map<string, Set<string>>()

  /** Takes the changes of a message, once. @returns the paths that are other than they were. */
  apply(source: ChangeSource, { changes }: FolderChanges): string[] {
    if (this.#messages.has(source.id)) return []
    const changed = new Set<string>()
    this.#messages.set(source.id, changed)
    const counts = new Map<string, number>()
    changes.forEach((change, index) => {
      if (change === undefined) return
      const count = (counts.get(change.path) ?? 0) + 1
      counts.set(change.path, count)
      if (count <= MAX_CHANGES_OF_PATH && this.#add(source, change, index)) changed.add(change.path)
    })
    return [...changed]
  }

  /** As if the message had never been. @returns the paths that are other than they were. */
  withdraw(message: string): string[] {
    const paths = [...(this.#messages.get(message) ?? [])]
    this.#messages.delete(message)
    for (const path of paths) {
      const state = this.#paths.get(path)!
      for (const version of state.versions.values()) if (version.message === message) state.versions.delete(version.id)
      state.replaced = new Set([...state.versions.values()].flatMap(({ replaces }) => replaces))
      state.past = new Set([...state.versions.keys()].filter((id) => state.replaced.has(id)))
      if (state.versions.size === 0) this.#paths.delete(path)
    }
    return paths
  }

  has(message: string): boolean {
    return this.#messages.has(message)
  }

  paths(): string[] {
    return [...this.#paths.keys()]
  }

  get isEmpty(): boolean {
    return this.#paths.size === 0
  }

  get isFull(): boolean {
    return this.#paths.size >= MAX_FOLDER_PATHS
  }

  /** All that stand at a path, of which the first is its entry, and removals come last: the same on every device. */
  standing(path: string): Version[] {
    const state = this.#paths.get(path)
    if (state === undefined) return []
    const rank = ({ id, offer }: Version): string => (offer === undefined ? '1' : '0') + id
    return [...state.versions.values()].filter(({ id }) => !state.replaced.has(id)).sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
  }

  /** The files that stand at a path: the entry, and those in conflict with it. */
  files(path: string): Version[] {
    return this.standing(path).filter(({ offer }) => offer !== undefined)
  }

  stands({ id, path }: Version): boolean {
    const state = this.#paths.get(path)
    return state !== undefined && state.versions.has(id) && !state.replaced.has(id)
  }

  /** All versions of a path that are kept, oldest first. */
  versions(path: string): Version[] {
    return [...(this.#paths.get(path)?.versions.values() ?? [])]
  }

  #add(source: ChangeSource, { path, replaces, offer }: FolderChange, index: number): boolean {
    // Who removes nothing says nothing.
    if (offer === undefined && replaces.length === 0) return false
    const known = this.#paths.get(path)
    if (known === undefined && this.isFull) return false
    const state: PathState = known ?? { versions: new Map(), replaced: new Set(), past: new Set() }
    this.#paths.set(path, state)
    const { id: message, author, authorName, sentAt: changedAt } = source
    const id = versionId({ message, index })
    const ids = replaces.map(versionId)
    state.versions.set(id, { id, message, path, author, authorName, changedAt, replaces: ids, ...(offer && { offer }) })
    for (const each of ids) {
      state.replaced.add(each)
      if (state.versions.has(each)) state.past.add(each)
    }
    if (state.replaced.has(id)) state.past.add(id)
    for (const each of state.past) {
      if (state.past.size <= MAX_FOLDER_VERSIONS) break
      state.past.delete(each)
      state.versions.delete(each)
    }
    return true
  }
}

export function versionId({ message, index }: VersionId): string {
  return `${message}.${index}`
}

/** Of an id that {@link versionId} made. */
export function parseVersionId(id: string): VersionId {
  const dot = id.indexOf('.')
  return { message: id.slice(0, dot), index: Number(id.slice(dot + 1)) }
}
