import type { OpenFile } from './open-file.js'
import { measurePieces, PIECE_BLOCKS } from './place.js'

interface Piece {
  readonly file: OpenFile
  readonly piece: number
  bytes: number
}

/** How much is kept of what others have shared: the pieces that were used last. */
export class Budget {
  readonly #maxBytes: number
  readonly #onerror: (error: unknown) => void
  /** The one that was used last is the last. */
  readonly #pieces = new Map<string, Piece>()
  #bytes = 0
  #evicting: Promise<void> | undefined

  constructor(maxBytes: number, onerror: (error: unknown) => void) {
    this.#maxBytes = maxBytes
    this.#onerror = onerror
  }

  /** Counts what is on disk, in the order in which it was written. */
  async load(files: readonly { file: OpenFile; folder: string }[]): Promise<void> {
    const found = await Promise.all(
      files.map(async ({ file, folder }) => (await measurePieces(folder)).map((piece) => ({ file, ...piece })))
    )
    for (const { file, piece, bytes } of found.flat().sort((a, b) => a.writtenAt - b.writtenAt)) this.use(file, piece, bytes)
  }

  /** A piece is read, or so many bytes of it are written. What this device shares has no other place, and is not counted. */
  use(file: OpenFile, piece: number, bytes: number): void {
    if (file.record.isOwn) return
    const id = `${file.id}/${piece}`
    const known = this.#pieces.get(id) ?? { file, piece, bytes: 0 }
    known.bytes += bytes
    this.#bytes += bytes
    this.#pieces.delete(id)
    this.#pieces.set(id, known)
    if (this.#bytes > this.#maxBytes) this.#evict()
  }

  /** Nothing of it is in its folder any more. */
  forget(file: OpenFile): void {
    for (const [id, piece] of this.#pieces) if (piece.file === file) this.#remove(id, piece)
  }

  async close(): Promise<void> {
    await this.#evicting
  }

  #evict(): void {
    this.#evicting ??= this.#removeOldest()
      .catch(this.#onerror)
      .finally(() => (this.#evicting = undefined))
  }

  async #removeOldest(): Promise<void> {
    // One is left, however small the budget is: that which is being written.
    while (this.#bytes > this.#maxBytes && this.#pieces.size > 1) {
      const [id, piece] = this.#pieces.entries().next().value!
      this.#remove(id, piece)
      await piece.file.clear(piece.piece * PIECE_BLOCKS, (piece.piece + 1) * PIECE_BLOCKS)
    }
  }

  #remove(id: string, { bytes }: Piece): void {
    this.#pieces.delete(id)
    this.#bytes -= bytes
  }
}
