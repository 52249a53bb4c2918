import Hyperbee from 'hyperbee'
import type Corestore from 'corestore'
import { readBytes, writeBytes } from '@covey/core'

/** What a mirror knows of a core that it holds. */
export interface HeldRecord {
  readonly key: Uint8Array
  /** The device that asked for it first, 32 bytes: it is counted among theirs. */
  readonly client: Uint8Array
  /** Bytes of its blocks, as far as its writer has signed them. */
  readonly bytes: number
  /** When a device last asked for it, in seconds since 1970. */
  readonly usedAt: number
}

/** The cores of a mirror, on its disk. */
export interface HeldRecords {
  all(): AsyncIterable<HeldRecord>
  put(record: HeldRecord): Promise<void>
  remove(key: Uint8Array): Promise<void>
  close(): Promise<void>
}

const KEY_BYTES = 32

export async function openHeldRecords(corestore: Corestore): Promise<HeldRecords> {
  const core = corestore.namespace('covey/mirror').get({ name: 'records' })
  const bee = new Hyperbee<Uint8Array, Uint8Array>(core, { keyEncoding: 'binary', valueEncoding: 'binary' })
  await bee.ready()
  return {
    async *all() {
      for await (const { key, value } of bee.createReadStream()) yield decode(key, value)
    },
    put: async ({ key, client, bytes, usedAt }) => {
      await bee.put(key, writeBytes((writer) => writer.bytes(client).varint(bytes).varint(usedAt)))
    },
    remove: async (key) => {
      await bee.del(key)
    },
    close: () => bee.close()
  }
}

function decode(key: Uint8Array, value: Uint8Array): HeldRecord {
  const read = readBytes(value, (reader) => {
    const record = { key, client: reader.bytes(KEY_BYTES), bytes: reader.varint(), usedAt: reader.varint() }
    reader.rest()
    return record
  })
  if (!read.ok) throw read.error
  return read.value
}
