import RocksDB from 'rocksdb-native'
import { decodeUtf8 } from '@covey/core'
import { BotError } from '../errors.js'

/** One change of what a bot keeps: `undefined` deletes. */
export type Change = readonly [key: string, value: unknown]

/**
 * What a bot keeps in its folder: JSON by key. A write is durable when it resolves, against the end of the
 * process at any moment, and all or nothing.
 */
export interface State {
  /** `undefined` for a key that is not there, and for a value that is no JSON. */
  get(key: string): Promise<unknown>
  /** In the order of the keys. */
  entries(prefix: string): AsyncGenerator<readonly [key: string, value: unknown], void, undefined>
  /** @throws {BotError} BOT_STATE_FAILED */
  write(changes: readonly Change[]): Promise<void>
  close(): Promise<void>
}

export async function openState(folder: string): Promise<State> {
  const db = new RocksDB(folder)
  await db.ready().catch((cause: unknown) => {
    throw new BotError('BOT_STATE_FAILED', "The bot's folder does not open.", {
      cause,
      hint: 'Another process may have it open; close that one, or give another folder.'
    })
  })
  return {
    async get(key) {
      const value = await db.get(key)
      return value === null ? undefined : parse(value)
    },
    async *entries(prefix) {
      for await (const { key, value } of db.iterator({ gte: prefix, lt: after(prefix) })) yield [text(key), parse(value)]
    },
    async write(changes) {
      const batch = db.write()
      try {
        for (const [key, value] of changes) {
          if (value === undefined) batch.tryDelete(key)
          else batch.tryPut(key, JSON.stringify(value))
        }
        await batch.flush()
      } catch (cause) {
        throw new BotError('BOT_STATE_FAILED', "The bot's folder did not take what has to be durable.", {
          cause,
          retryable: true,
          hint: 'Check that the disk has room.'
        })
      } finally {
        batch.destroy()
      }
    },
    close: () => db.close()
  }
}

/** The first key that does not begin with `prefix`, which ends in an ASCII character. */
function after(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
}

function parse(value: Uint8Array): unknown {
  try {
    return JSON.parse(text(value))
  } catch {
    // Not as this program writes it: as good as not there.
    return undefined
  }
}

function text(bytes: Uint8Array): string {
  const decoded = decodeUtf8(bytes)
  return decoded.ok ? decoded.value : ''
}
