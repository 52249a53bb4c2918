import { MAX_CONTENT_BYTES } from '@covey/core'
import { MAX_CHANGES } from '../../constants.js'
import { encodeChange, type FolderChange } from '../../folder-content.js'
import type { OpenFile } from '../open-file.js'

/** A change that is to be made, and the file of it in the directory. */
export interface Draft {
  readonly change: Omit<FolderChange, 'offer'>
  /** Where it is, or was. */
  readonly at: string
  /** Whether what is there is put; else it is removed. */
  readonly isPut: boolean
  /** What the file was before. */
  readonly before?: OpenFile
  /** What goes with it, or not at all. */
  readonly removal?: FolderChange
}

export interface Batch {
  readonly drafts: Draft[]
  readonly changes: FolderChange[]
  readonly files: OpenFile[]
}

/** The name of the folder, and what more there is beside the changes. */
const REST_BYTES = 2_048
/** What is ready is not held back for longer. */
const MAX_HELD_MS = 2_000
/** The most that the length of a change takes. */
const LENGTH_BYTES = 3

/** How many files are read at a time. */
const MAX_AHEAD = 8

/**
 * Puts as many changes into a message as there is room for. What is not given in the end is forgotten.
 *
 * @param share the file of a draft, or `undefined` where it is not made.
 */
export async function* batches(drafts: readonly Draft[], share: (draft: Draft) => Promise<OpenFile | undefined>): AsyncGenerator<Batch, void, void> {
  const ahead: Promise<OpenFile | undefined>[] = []
  let batch: Batch = { drafts: [], changes: [], files: [] }
  let bytes = 0
  let since = Date.now()
  const next = (): Batch => {
    const full = batch
    batch = { drafts: [], changes: [], files: [] }
    bytes = 0
    since = Date.now()
    return full
  }
  try {
    for (const [i, draft] of drafts.entries()) {
      while (ahead.length < MAX_AHEAD && i + ahead.length < drafts.length) {
        const { [i + ahead.length]: later } = drafts
        const file = later!.isPut ? share(later!) : Promise.resolve(undefined)
        // It is told of when its turn comes, which may be never.
        file.catch(() => undefined)
        ahead.push(file)
      }
      const file = await ahead.shift()
      if (draft.isPut && file === undefined) continue
      const changes: FolderChange[] = [{ ...draft.change, ...(file && { offer: file.record.offer }) }, ...(draft.removal ? [draft.removal] : [])]
      const added = changes.reduce((sum, change) => sum + encodeChange(change).length + LENGTH_BYTES, 0)
      const isFull = bytes + added > MAX_CONTENT_BYTES - REST_BYTES || batch.changes.length + changes.length > MAX_CHANGES
      const full = batch.changes.length > 0 && (isFull || Date.now() - since > MAX_HELD_MS) ? next() : undefined
      batch.drafts.push(draft)
      batch.changes.push(...changes)
      if (file !== undefined) batch.files.push(file)
      bytes += added
      if (full !== undefined) yield full
    }
    if (batch.changes.length > 0) yield next()
  } finally {
    const left = await Promise.all(ahead.map((file) => file.catch(() => undefined)))
    for (const file of [...batch.files, ...left]) await file?.forget()
  }
}
