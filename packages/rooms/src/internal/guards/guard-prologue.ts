import type { UpstreamViewRef } from './autobase-internals.js'

/** lib/bitfield.js of hypercore 11.37.1. */
const BLOCKS_PER_PAGE = 32_768
const PAGE_BYTES = BLOCKS_PER_PAGE / 8

/** What of a core says which of its blocks are here: in memory, and on disk. */
interface Held {
  readonly bitfield: { toBuffer(length: number): Uint8Array }
  readonly state: { readonly length: number; readonly mutex: { lock(): Promise<void>; unlock(): void } }
  readonly storage: { write(): { putBitfieldPage(index: number, page: Uint8Array): void; flush(): Promise<unknown> } }
}

/**
 * Writes down which blocks a view has, after it was moved to a core of other indexers.
 *
 * The defect, in hypercore 11.37.1: what is copied from the old core is counted page by page, from the last to the first,
 * and each page of 32,768 blocks is written under its number in that count (lib/copy-prologue.js:130). In memory all is
 * right. After a restart the device takes most of a larger view for missing, and gives it to nobody.
 */
export async function writeHeldBlocks({ moveTo }: UpstreamViewRef): Promise<void> {
  if (moveTo === null) return
  const { bitfield, state, storage } = (moveTo[1] as unknown as { readonly core: Held }).core
  if (state.length <= BLOCKS_PER_PAGE) return
  await state.mutex.lock()
  try {
    const all = bitfield.toBuffer(state.length)
    const writing = storage.write()
    for (let page = 0; page * PAGE_BYTES < all.length; page++) {
      writing.putBitfieldPage(page, all.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES))
    }
    await writing.flush()
  } finally {
    state.mutex.unlock()
  }
}
