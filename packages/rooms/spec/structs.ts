// Written by schema/build.mjs.
export interface Structs {
  'op-header': {
    type: number
    sentAt: number
    previous?: Uint8Array | null
    target?: Uint8Array | null
    epoch?: Uint8Array | null
    payload?: Uint8Array | null
  }
  'create': {
    device: Uint8Array
    certificate: Uint8Array
    statement: Uint8Array
    history: number
  }
  'admit': {
    writer: Uint8Array
    device: Uint8Array
    certificate: Uint8Array
    statement: Uint8Array
    role: number
    invite?: Uint8Array | null
  }
  'rotate': {
    lamport: number
    commitment: Uint8Array
    ephemeral: Uint8Array
    slots: Uint8Array
    parents?: Uint8Array | null
  }
  'grant': {
    device: Uint8Array
    ephemeral: Uint8Array
    slot: Uint8Array
  }
  'invite': {
    id: Uint8Array
    publicKey: Uint8Array
    role: number
    expiresAt?: number | null
    uses?: number | null
  }
  'message-body': {
    text?: string | null
    content?: string | null
    version?: number | null
    data?: Uint8Array | null
  }
  'settings-body': {
    name?: string | null
  }
  'profile-body': {
    name?: string | null
  }
  'join-request': {
    writer: Uint8Array
    device: Uint8Array
    certificate: Uint8Array
    statement: Uint8Array
  }
  'invite-link': {
    seed: Uint8Array
    discoveryKey: Uint8Array
    expiresAt?: number | null
    systemKey?: Uint8Array | null
  }
  'room-record': {
    namespace: Uint8Array
    discoveryKey: Uint8Array
    key?: Uint8Array | null
  }
  'meta': {
    messages: number
    skipped: number
  }
  'room': {
    creator: Uint8Array
    createdAt: number
    history: number
    settingsWriter?: Uint8Array | null
    settings?: Uint8Array | null
  }
  'member': {
    identity: Uint8Array
    role: number
    joinedAt: number
    profileWriter?: Uint8Array | null
    profile?: Uint8Array | null
  }
  'device': {
    writer: Uint8Array
    device: Uint8Array
    box: Uint8Array
    identity: Uint8Array
    length: number
    head?: Uint8Array | null
  }
  'invite-row': {
    id: Uint8Array
    publicKey: Uint8Array
    author: Uint8Array
    role: number
    used: number
    expiresAt?: number | null
    uses?: number | null
  }
  'epoch': {
    lamport: number
    id: Uint8Array
    writer: Uint8Array
    rotate: Uint8Array
  }
  'grant-row': {
    epoch: Uint8Array
    device: Uint8Array
    id: Uint8Array
    writer: Uint8Array
    grant: Uint8Array
  }
  'message': {
    order: number
    id: Uint8Array
    writer: Uint8Array
    op: Uint8Array
  }
}
