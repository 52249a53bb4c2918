/** What the benchmarks use of Hyperdrive, which has no types of its own. */
declare module 'hyperdrive' {
  import type Corestore from 'corestore'
  import type { EventEmitter } from 'node:events'
  import type { Readable, Writable } from 'node:stream'

  export default class Hyperdrive {
    constructor(store: Corestore, key?: Uint8Array)
    readonly key: Uint8Array
    readonly discoveryKey: Uint8Array
    /** Of the names. */
    readonly core: EventEmitter
    ready(): Promise<void>
    createReadStream(path: string, options?: { wait?: boolean }): Readable
    createWriteStream(path: string): Writable
    entry(path: string): Promise<object | null>
    update(options?: { wait?: boolean }): Promise<boolean>
    clear(path: string): Promise<unknown>
    findingPeers(): () => void
    close(): Promise<void>
  }
}
