import type { EditRow, MessageRow, MessageStateRow, ReactionRow, RoomView, VoteRow } from './view.js'

/** What has become of a message. */
export interface About {
  readonly state: MessageStateRow | null
  /** The newest version, where it is not the first. */
  readonly edit: EditRow | null
  readonly reactions: readonly ReactionRow[]
  readonly votes: readonly VoteRow[]
}

/** Of one that was sent just now. */
export const NOTHING: About = { state: null, edit: null, reactions: [], votes: [] }

export async function aboutMessage(view: RoomView, { order }: Partial<Pick<MessageRow, 'order'>>): Promise<About> {
  if (order === undefined) return NOTHING
  const state = await view.messageState(order)
  if (state === null) return NOTHING
  const [edit, reactions, votes] = await Promise.all([
    state.edits > 0 ? view.lastEdit(order) : null,
    state.reactions > 0 ? view.reactions(order) : [],
    state.votes ? view.votes(order) : []
  ])
  return { state, edit, reactions, votes }
}
