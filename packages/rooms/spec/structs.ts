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
    writerKey: Uint8Array
    writerSignature: Uint8Array
    history: number
    peer?: Uint8Array | null
  }
  'profile-version': {
    version: number
  }
  'receipt': {
    invite: Uint8Array
    publicKey: Uint8Array
    session: Uint8Array
    signature: Uint8Array
  }
  'admit': {
    request: Uint8Array
    role: number
    receipt?: Structs['receipt'] | null
    approved?: Uint8Array | null
  }
  'add-device': {
    request: Uint8Array
  }
  'enter': {
    request: Uint8Array
    receipt: Structs['receipt']
  }
  'knock': {
    writer: Uint8Array
    invite: Uint8Array
    declined?: boolean | null
  }
  'rotate': {
    lamport: number
    commitment: Uint8Array
    stateCommitment: Uint8Array
    ephemeral: Uint8Array
    slots: Uint8Array
    parents?: Uint8Array | null
    states?: Uint8Array | null
    removals?: number | null
  }
  'grant': {
    ephemeral: Uint8Array
    slots: Uint8Array
  }
  'keep-epoch': {
    writer: Uint8Array
    position: number
    op: Uint8Array
  }
  'invite': {
    id: Uint8Array
    publicKey: Uint8Array
    role: number
    expiresAt?: number | null
    uses?: number | null
    invitee?: Uint8Array | null
    approval?: boolean | null
    public?: boolean | null
  }
  'seen': {
    writer: Uint8Array
    length: number
  }
  'set-role': {
    identity: Uint8Array
    role: number
    seen: readonly Structs['seen'][]
  }
  'remove': {
    identity: Uint8Array
    seen: readonly Structs['seen'][]
    ban?: boolean | null
  }
  'unban': {
    identity: Uint8Array
  }
  'mute': {
    identity: Uint8Array
    muted?: boolean | null
  }
  'transfer': {
    identity: Uint8Array
  }
  'signed-tree': {
    fork: number
    length: number
    nodes: Uint8Array
    signature: Uint8Array
  }
  'equivocation': {
    writer: Uint8Array
    signer: Uint8Array
    at: number
    first: Structs['signed-tree']
    second?: Structs['signed-tree'] | null
  }
  'indexers': {
    writers: readonly Uint8Array[]
  }
  'revoke-device': {
    identity: Uint8Array
    device: Uint8Array
    revocation: Uint8Array
  }
  'unreact': {
    reaction: Uint8Array
  }
  'rule': {
    rule: number
    value: number
  }
  'rules': {
    rules: readonly Structs['rule'][]
  }
  'message-kinds': {
    kinds: number
  }
  'collection': {
    id: Uint8Array
    role: number
  }
  'entry-name': {
    collection: Uint8Array
    key: Uint8Array
  }
  'mention': {
    identity: Uint8Array
    start: number
    length: number
  }
  'message-body': {
    text?: string | null
    content?: string | null
    version?: number | null
    data?: Uint8Array | null
    replyTo?: Uint8Array | null
    forwarded?: boolean | null
    mentions?: readonly Structs['mention'][] | null
  }
  'reaction-body': {
    emoji: string
  }
  'vote-body': {
    choices: readonly number[]
  }
  'entry-body': {
    name: string
    version: number
    value: Uint8Array
  }
  'settings-body': {
    name?: string | null
  }
  'mirrors-body': {
    mirrors: readonly Uint8Array[]
  }
  'report-body': {
    message: Uint8Array
    reason?: string | null
  }
  'profile-body': {
    name?: string | null
    signed?: Uint8Array | null
  }
  'knock-body': {
    request: Uint8Array
    receipt: Structs['receipt']
  }
  'join-request': {
    writer: Uint8Array
    device: Uint8Array
    certificate: Uint8Array
    statement: Uint8Array
    writerKey: Uint8Array
    writerSignature: Uint8Array
    nonce: Uint8Array
    direct?: boolean | null
  }
  'knock-request': {
    request: Uint8Array
    name?: string | null
  }
  'invite-link': {
    seed: Uint8Array
    discoveryKey: Uint8Array
    expiresAt?: number | null
    approval?: boolean | null
    key?: Uint8Array | null
    encryptionKey?: Uint8Array | null
    device?: Uint8Array | null
    relays?: Uint8Array | null
  }
  'profile-avatar': {
    type: string
    version: number
    data: Uint8Array
  }
  'profile-card': {
    version: number
    name?: string | null
    bio?: string | null
    avatar?: Structs['profile-avatar'] | null
  }
  'signed-profile': {
    card: Uint8Array
    device: Uint8Array
    certificate: Uint8Array
    statement: Uint8Array
  }
  'dm-message': {
    type: number
    sought?: Uint8Array | null
    certificate?: Uint8Array | null
    profile?: Uint8Array | null
    room?: Uint8Array | null
    request?: Uint8Array | null
    key?: Uint8Array | null
    encryptionKey?: Uint8Array | null
  }
  'people-record': {
    key: string
    value?: Uint8Array | null
  }
  'contact': {
    addedAt: number
    name?: string | null
    changedAt?: number | null
    removed?: boolean | null
  }
  'block': {
    blockedAt: number
    changedAt?: number | null
    removed?: boolean | null
  }
  'report': {
    reportedAt: number
    identity: Uint8Array
    reason: string
    room?: string | null
    message?: string | null
  }
  'dm-record': {
    state: number
    at: number
    device?: Uint8Array | null
    profile?: Uint8Array | null
  }
  'preview-key': {
    epoch: Uint8Array
    message?: Uint8Array | null
    state?: Uint8Array | null
  }
  'preview-message': {
    writer: Uint8Array
    identity: Uint8Array
    device: Uint8Array
    length: number
    op: Uint8Array
    edits?: number | null
    edit?: Uint8Array | null
    editWriter?: Uint8Array | null
  }
  'preview-profile': {
    identity: Uint8Array
    writer: Uint8Array
    op: Uint8Array
  }
  'preview': {
    writer: Uint8Array
    keys: readonly Structs['preview-key'][]
    messages: readonly Structs['preview-message'][]
    profiles: readonly Structs['preview-profile'][]
    settings?: Uint8Array | null
    settingsWriter?: Uint8Array | null
  }
  'room-record': {
    namespace: Uint8Array
    discoveryKey: Uint8Array
    key?: Uint8Array | null
    personal?: boolean | null
    encryptionKey?: Uint8Array | null
    left?: boolean | null
  }
  'noted-head': {
    key: Uint8Array
    length: number
  }
  'noted-device': {
    identity: Uint8Array
    device: Uint8Array
    writer: Uint8Array
    length: number
    removed?: boolean | null
    minEpoch?: number | null
  }
  'room-note': {
    room: Uint8Array
    own: Uint8Array
    encryptionKey: Uint8Array
    heads: readonly Structs['noted-head'][]
    devices: readonly Structs['noted-device'][]
    views: readonly Uint8Array[]
    other?: Uint8Array | null
    admitted?: boolean | null
    mirrorLinks: readonly string[]
    profile?: number | null
    silent?: boolean | null
  }
  'device-link': {
    device: Uint8Array
    secret: Uint8Array
    expiresAt: number
    relays?: Uint8Array | null
  }
  'link-hello': {
    proof: Uint8Array
    commitment: Uint8Array
  }
  'link-offer': {
    nonce: Uint8Array
    identity: Uint8Array
  }
  'link-reveal': {
    nonce: Uint8Array
    request: Uint8Array
  }
  'link-grant': {
    certificate: Uint8Array
    key: Uint8Array
    encryptionKey: Uint8Array
    name?: string | null
  }
  'personal-entry': {
    name: string
    value?: Uint8Array | null
  }
  'personal-room-entry': {
    key: Uint8Array
    encryptionKey: Uint8Array
    left?: boolean | null
  }
  'read-mark': {
    message: Uint8Array
    order: number
  }
  'search-segment': {
    ids: Uint8Array
    versions: Uint8Array
    writers: Uint8Array
    by: Uint8Array
    text: string
  }
  'search-mark': {
    settled: number
    segments: number
  }
  'meta': {
    messages: number
    authority: number
    skipped: number
    speaker?: Uint8Array | null
    inARow?: number | null
    acts?: number | null
    reports?: number | null
    removals?: number | null
    voided?: number | null
  }
  'writer': {
    writer: Uint8Array
    length: number
    head?: Uint8Array | null
    acted?: number | null
  }
  'authority': {
    position: number
    writer: Uint8Array
    length: number
    op: Uint8Array
    refused?: boolean | null
  }
  'act': {
    position: number
    number: number
    writer: Uint8Array
    type: number
    target: Uint8Array
    sentAt: number
  }
  'room': {
    createdAt: number
    history: number
    settingsWriter?: Uint8Array | null
    settings?: Uint8Array | null
    founder?: Uint8Array | null
    peer?: Uint8Array | null
    rules?: readonly Structs['rule'][] | null
    mirrorsWriter?: Uint8Array | null
    mirrors?: Uint8Array | null
    indexers?: readonly Uint8Array[] | null
  }
  'member': {
    identity: Uint8Array
    role: number
    joinedAt: number
    muted?: boolean | null
    minEpoch?: number | null
    namings?: number | null
  }
  'device': {
    writer: Uint8Array
    device: Uint8Array
    box: Uint8Array
    identity: Uint8Array
    position: number
    removed?: boolean | null
    forked?: boolean | null
    issuer?: Uint8Array | null
    silent?: boolean | null
  }
  'message-report': {
    identity: Uint8Array
    id: Uint8Array
    writer: Uint8Array
    op: Uint8Array
  }
  'read-receipt': {
    writer: Uint8Array
    identity: Uint8Array
    message: Uint8Array
    sentAt: number
  }
  'pace': {
    identity: Uint8Array
    sentAt: number
  }
  'ban': {
    identity: Uint8Array
    role: number
  }
  'profile': {
    identity: Uint8Array
    writer: Uint8Array
    op: Uint8Array
  }
  'invite-row': {
    id: Uint8Array
    publicKey: Uint8Array
    author: Uint8Array
    role: number
    used: number
    expiresAt?: number | null
    uses?: number | null
    invitee?: Uint8Array | null
    revoked?: boolean | null
    approval?: boolean | null
    public?: boolean | null
  }
  'knock-row': {
    writer: Uint8Array
    author: Uint8Array
    invite: Uint8Array
    op: Uint8Array
    declined?: boolean | null
  }
  'epoch': {
    lamport: number
    id: Uint8Array
    writer: Uint8Array
    position: number
    op: Uint8Array
    removals?: number | null
  }
  'commitment': {
    commitment: Uint8Array
    position: number
  }
  'key-request': {
    writer: Uint8Array
    epoch: Uint8Array
  }
  'grant-row': {
    epoch: Uint8Array
    writer: Uint8Array
    id: Uint8Array
    ephemeral: Uint8Array
    sealed: Uint8Array
  }
  'message': {
    order: number
    id: Uint8Array
    writer: Uint8Array
    op: Uint8Array
    thread?: Uint8Array | null
    length?: number | null
    identity?: Uint8Array | null
    device?: Uint8Array | null
  }
  'message-state': {
    order: number
    edits: number
    reactions: number
    reacted: number
    replies: number
    pinned?: boolean | null
    deletedBy?: Uint8Array | null
    votes?: number | null
    closed?: boolean | null
  }
  'edit': {
    order: number
    number: number
    writer: Uint8Array
    op: Uint8Array
  }
  'reaction': {
    order: number
    identity: Uint8Array
    id: Uint8Array
    position: number
    writer: Uint8Array
    op: Uint8Array
  }
  'vote': {
    order: number
    identity: Uint8Array
    writer: Uint8Array
    op: Uint8Array
  }
  'pin': {
    order: number
    writer: Uint8Array
  }
  'thread-message': {
    root: number
    order: number
  }
  'collection-usage': {
    id: Uint8Array
    entries: number
    bytes: number
    head: Uint8Array
  }
  'entry': {
    collection: Uint8Array
    key: Uint8Array
    id: Uint8Array
    writer: Uint8Array
    op: Uint8Array
  }
}
