import Hyperbee from 'hyperbee'
import type Corestore from 'corestore'
import { readBytes, writeBytes } from '@covey/core'

/** What a mirror knows of a core that it holds. */
export interface HeldRecord {
  readonly key: Uint8Array
  /** The device among whose cores it is counted, 32 bytes: the first that asked for it and had the room. */
  readonly client: Uint8Array
  /** The room that is set aside for it. */
  readonly bytes: number
  /** When a device last asked for it, in seconds since 1970. */
  readonly usedAt: number
  /** Bytes of the blocks that came. */
  readonly received: number
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
    put: async ({ key, client, bytes, usedAt, received }) => {
      await bee.put(key, writeBytes((writer) => writer.bytes(client).varint(bytes).varint(usedAt).varint(received)))
    },
    remove: async (key) => {
      await bee.del(key)
    },
    close: () => bee.close()
  }
}

function decode(key: Uint8Array, value: Uint8Array): HeldRecord {
  const read = readBytes(value, (reader) => {
    const record = { key, client: reader.bytes(KEY_BYTES), bytes: reader.varint(), usedAt: reader.varint(), received: reader.remaining > 0 ? reader.varint() : 0 }
    reader.rest()
    return record
  })
  if (!read.ok) throw read.error
  return read.value
}
