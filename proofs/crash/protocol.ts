import type { Network } from 'covey'

/** What the process of a peer is asked to do, and answers with. */
export interface Calls {
  open: { given: { folder: string; network: Network; name: string; life: number }; answer: { identity: string; device: string } }
  /** Makes the room. */
  create: { given: { history: 'full' | 'since-join' }; answer: { room: string } }
  /** Uses the room that the folder has, if it has one. */
  find: { given: object; answer: { room: string | null } }
  /** Resolves with the link. */
  invite: { given: object; answer: { link: string } }
  join: { given: { link: string }; answer: { room: string } }
  /** How long to wait between bursts of messages; `null`: to be quiet. */
  tempo: { given: { pauseMs: number | null }; answer: null }
  /** Makes invites until further notice. */
  inviteOn: { given: object; answer: null }
  /** Changes the roles of these members until further notice. */
  roleOn: { given: { members: readonly string[]; seed: number }; answer: null }
  remove: { given: { member: string }; answer: null }
  /** Of these messages, by their ids, those that are not there after a while. */
  lacking: { given: { ids: readonly string[] }; answer: readonly string[] }
  /** How many devices the view has, former ones too. */
  devices: { given: object; answer: number }
  /** A hash of all rows of the view. */
  digest: { given: object; answer: { hash: string; rows: number } }
  /** All rows of the view, each with its collection. */
  rows: { given: object; answer: readonly string[] }
  /** All that the room says, as an app sees it. */
  report: { given: object; answer: Report }
  /** What the process is at: for the error when it does not come to an end. */
  state: { given: object; answer: string }
  close: { given: object; answer: null }
}

export interface Report {
  readonly messages: readonly { readonly id: string; readonly author: string; readonly text: string; readonly kind: string }[]
  /** What a live iteration has given since the process began, in the order given. */
  readonly live: readonly string[]
  readonly invites: readonly string[]
  readonly members: readonly string[]
  /** What the peer told of by error events. */
  readonly errors: readonly string[]
}

/** What a process tells unasked. The kill takes back nothing of it. */
export type News =
  | { readonly type: 'sent'; readonly id: string; readonly text: string }
  | { readonly type: 'invited'; readonly ids: readonly string[] }
  | { readonly type: 'failed'; readonly what: string; readonly message: string }

export interface Ask {
  readonly ask: number
  readonly call: keyof Calls
  readonly given: object
}

export type Told = { readonly news: News } | { readonly answerTo: number; readonly answer: unknown } | { readonly answerTo: number; readonly error: string }
