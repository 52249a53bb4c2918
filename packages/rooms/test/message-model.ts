// What becomes of messages, written down a second time, without a database and without reading the first.

/** An op, of whoever, about the message with this index among all that were written, accepted or not. */
export interface Deed {
  readonly by: number
  readonly type: 'message' | 'edit' | 'delete' | 'react' | 'unreact' | 'vote' | 'closeVote' | 'pin' | 'unpin' | 'mute' | 'unmute' | 'setRole'
  /** Of whom or of which message; `undefined` for none. */
  readonly on: number | undefined
  /** Which of the reactions so far an `unreact` takes back. */
  readonly reaction: number
  readonly role: number
}

export interface ModelMessage {
  readonly op: number
  readonly by: number
  readonly root: number | undefined
  deletedBy: number | undefined
  edits: number[]
  reactions: { readonly op: number; readonly by: number }[]
  reacted: number
  isPinned: boolean
  votes: Set<number>
  isClosed: boolean
}

export const READER = 1
export const MEMBER = 2
export const MODERATOR = 3
export const ADMIN = 4
export const OWNER = 5

/** The messages after all deeds, and which of these were refused. */
export function model(roles: number[], deeds: readonly Deed[]) {
  const messages = new Map<number, ModelMessage>()
  const muted = new Set<number>()
  const refused: number[] = []
  const reactions: number[] = []

  function isDone({ by, type, on, reaction, role }: Deed, op: number): boolean {
    const [own, voice] = [roles[by]!, !muted.has(by) && roles[by]! >= MEMBER]
    const message = on === undefined ? undefined : messages.get(on)
    const there = message?.deletedBy === undefined ? message : undefined
    switch (type) {
      case 'message': {
        if (!voice) return false
        const root = message && (message.root ?? on)
        messages.set(op, { op, by, root, deletedBy: undefined, edits: [], reactions: [], reacted: 0, isPinned: false, votes: new Set(), isClosed: false })
        return true
      }
      case 'edit':
        if (!there || !voice || there.by !== by) return false
        there.edits.push(op)
        return true
      case 'delete':
        if (!there || (there.by !== by && own < MODERATOR)) return false
        Object.assign(there, { deletedBy: by, edits: [], reactions: [], isPinned: false, votes: new Set(), isClosed: false })
        return true
      case 'react':
        reactions.push(op)
        if (!there || !voice || there.reactions.filter((other) => other.by === by).length >= 16) return false
        there.reactions.push({ op, by })
        there.reacted++
        return true
      case 'unreact': {
        const left = there?.reactions.filter((other) => other.op !== reactions[reaction] || other.by !== by)
        if (!there || left!.length === there.reactions.length) return false
        there.reactions = left!
        return true
      }
      case 'vote':
        if (!there || !voice || there.isClosed) return false
        there.votes.add(by)
        return true
      case 'closeVote':
        if (!there || there.isClosed || (there.by !== by && own < MODERATOR)) return false
        there.isClosed = true
        return true
      case 'pin':
      case 'unpin':
        if (!there || !voice || own < MODERATOR || there.isPinned === (type === 'pin')) return false
        there.isPinned = type === 'pin'
        return true
      case 'mute':
      case 'unmute':
        if (on === undefined || own < MODERATOR || roles[on]! >= own) return false
        if (type === 'mute') muted.add(on)
        else muted.delete(on)
        return true
      case 'setRole':
        if (on === undefined || own < ADMIN || roles[on]! >= own || role >= own) return false
        roles[on] = role
        return true
    }
  }

  deeds.forEach((deed, op) => {
    if (!isDone(deed, op)) refused.push(op)
  })
  return { messages: [...messages.values()], refused }
}
