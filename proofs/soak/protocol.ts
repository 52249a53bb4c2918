/** What the process of a peer is given. */
export interface Given {
  readonly storage: string
  readonly bootstrap: readonly { readonly host: string; readonly port: number }[]
  readonly name: string
  /** By which it comes in, if it is not in yet. Without: it has made the room, or makes it. */
  readonly invite: string | undefined
  /** Between two messages, on the average. */
  readonly pauseMs: number
  readonly seed: number
}

/** What a process holds. */
export interface Measured {
  /** What JavaScript has in use, after a collection. */
  readonly usedBytes: number
  readonly residentBytes: number
  /** Sockets, timers and what else keeps a process alive. */
  readonly handles: number
  /** How many of each kind. */
  readonly kinds: string
}

/** What the process of a peer is asked, and answers with. */
export interface SoakCalls {
  /** Resolves when it is in the room. */
  start: { given: Given; answer: { readonly person: string } }
  invite: { given: null; answer: { readonly link: string } }
  measure: { given: null; answer: Measured }
  /** Says nothing more; how many messages it has said in this life. */
  quiet: { given: null; answer: { readonly said: number } }
  /** How many messages the room has, by author, all that were taken away included. */
  count: { given: null; answer: Readonly<Record<string, number>> }
  close: { given: null; answer: null }
}
