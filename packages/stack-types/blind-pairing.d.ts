declare module 'blind-pairing-core' {
  import type { Encoder } from 'compact-encoding'
  import type { KeyPair } from 'hypercore-crypto'
  import { TypedEmitter } from '@covey/stack-types/emitter'

  export interface Node {
    host: string
    port: number
  }

  export interface InviteOptions {
    /** Of `key`. */
    discoveryKey?: Uint8Array
    /** Milliseconds since 1970, kept in whole seconds; 0 for never. Nobody enforces it. */
    expires?: number
    /** Random. The secret of the invite. */
    seed?: Uint8Array
    sensitive?: boolean
    /** Signed, and given to the candidate with `confirm({ additional })`. */
    data?: Uint8Array
    testInvitation?: boolean
    additionalNodes?: readonly Node[]
  }

  export interface SignedData {
    data: Uint8Array
    signature: Uint8Array
  }

  export interface Invite {
    id: Uint8Array
    /** What the candidate gets, encoded; it holds the seed. */
    invite: Uint8Array
    seed: Uint8Array
    /** What a member opens requests with. */
    publicKey: Uint8Array
    additional: SignedData | null
    discoveryKey: Uint8Array
    expires: number
    sensitive: boolean
    testInvitation: boolean
  }

  export interface DecodedInvite {
    id: Uint8Array
    seed: Uint8Array
    discoveryKey: Uint8Array | null
    expires: number
    sensitive: boolean
    testInvitation: boolean
    additionalNodes: Node[] | null
  }

  /** What a candidate learns when it is let in. */
  export interface PairingResult {
    key: Uint8Array
    encryptionKey: Uint8Array | null
    data: Uint8Array | null
  }

  export interface PairingError extends Error {
    code: 'PAIRING_REJECTED' | 'INVITE_USED' | 'INVITE_EXPIRED'
  }

  export interface CandidateRequestEvents {
    accepted: [result: PairingResult]
    /** A PairingError, or a plain one for an answer that cannot be read. */
    rejected: [error: Error & { code?: PairingError['code'] }]
    destroyed: []
  }

  export class CandidateRequest extends TypedEmitter<CandidateRequestEvents> {
    constructor(
      invite: Uint8Array | Pick<DecodedInvite, 'discoveryKey' | 'seed'>,
      userData: Uint8Array,
      options?: { session?: Uint8Array }
    )
    readonly discoveryKey: Uint8Array
    readonly seed: Uint8Array
    readonly keyPair: KeyPair
    readonly inviteId: Uint8Array
    readonly userData: Uint8Array
    readonly session: Uint8Array
    readonly id: Uint8Array
    /** Null once accepted or destroyed. */
    readonly token: Uint8Array | null
    readonly auth: PairingResult | null
    static from(buffer: Uint8Array): CandidateRequest
    encode(): Uint8Array
    handleResponse(payload: Uint8Array): PairingResult | null
    destroy(): void
  }

  export interface Confirmation {
    key: Uint8Array
    encryptionKey?: Uint8Array | null
    additional?: SignedData | null
  }

  export class MemberRequest {
    readonly inviteId: Uint8Array
    readonly requestData: { session: Uint8Array | null; data: Uint8Array | null }
    discoveryKey: Uint8Array | null
    /** These five are null until `open`. */
    readonly publicKey: Uint8Array | null
    readonly userData: Uint8Array | null
    readonly session: Uint8Array | null
    readonly id: Uint8Array | null
    readonly receipt: Uint8Array | null
    /** Null until confirmed or denied. */
    readonly response: Uint8Array | null
    static from(request: Uint8Array): MemberRequest
    /** Throws when the request was not made with this invite. Returns the candidate's userData. */
    open(invitePublicKey: Uint8Array): Uint8Array
    /** Does nothing before `open`, and nothing the second time. */
    confirm(confirmation: Confirmation): void
    /** 1 rejected, 2 used, 3 expired, 0 says nothing. Needs `open`: it throws without. */
    deny(options?: { status?: 0 | 1 | 2 | 3 }): void
  }

  /** A decoded receipt. */
  export interface Receipt {
    session: Uint8Array
    signature: Uint8Array
    userData: Uint8Array
  }

  interface BlindPairingCore {
    CandidateRequest: typeof CandidateRequest
    MemberRequest: typeof MemberRequest
    readonly Invite: Encoder<DecodedInvite>
    createInvite(key: Uint8Array, options?: InviteOptions): Invite
    decodeInvite(invite: Uint8Array): DecodedInvite
    /** The userData that the invite's holder signed, or null. */
    verifyReceipt(receipt: Uint8Array | Receipt, invitePublicKey: Uint8Array): Uint8Array | null
    createReceipt(
      invite: Uint8Array,
      userData: Uint8Array
    ): { id: Uint8Array; receipt: Uint8Array }
  }

  const core: BlindPairingCore
  export default core
}

declare module 'blind-pairing' {
  import type Hyperswarm from 'hyperswarm'
  import type { Encoder } from 'compact-encoding'
  import type {
    CandidateRequest,
    DecodedInvite,
    Invite,
    InviteOptions,
    MemberRequest,
    PairingResult
  } from 'blind-pairing-core'
  import { ReadyResource, type ReadyEvents } from '@covey/stack-types/emitter'

  export interface BlindPairingOptions {
    /** 420,000 ms, up to half as much again. */
    poll?: number
    /** A peer asks for a topic that we do not have. */
    onincoming?: (discoveryKey: Uint8Array | null) => void | Promise<void>
  }

  export interface MemberOptions {
    /** One member a discovery key: a second one throws. */
    discoveryKey: Uint8Array
    /**
     * Runs before anything is proven; call `request.open(publicKey)` first. What it throws is
     * swallowed, and the candidate hears nothing.
     */
    onadd: (request: MemberRequest) => void | Promise<void>
    /** True. */
    announce?: boolean
  }

  export interface CandidateOptions {
    invite: Uint8Array
    userData: Uint8Array
    onadd?: (result: PairingResult) => void | Promise<void>
    discoveryKey?: Uint8Array
  }

  export interface Member extends ReadyResource {
    readonly discoveryKey: Uint8Array
    announce(): Promise<void>
    flushed(): Promise<boolean | undefined>
    refresh(): Promise<void>
  }

  export interface CandidateEvents extends ReadyEvents {
    announce: []
  }

  export interface Candidate extends ReadyResource<CandidateEvents> {
    readonly discoveryKey: Uint8Array
    readonly request: CandidateRequest
    readonly token: Uint8Array
    readonly announced: boolean
    readonly paired: PairingResult | null
    /** Null when closed unpaired. It never rejects: a denial is `request`'s event `rejected`. */
    readonly pairing: Promise<PairingResult | null>
    refresh(): Promise<void>
  }

  export default class BlindPairing extends ReadyResource {
    constructor(swarm: Hyperswarm, options?: BlindPairingOptions)
    readonly swarm: Hyperswarm
    readonly poll: number
    readonly suspended: boolean
    addMember(options: MemberOptions): Member
    addCandidate(options: CandidateOptions): Candidate
    addCandidate(
      request: CandidateRequest,
      options: Omit<CandidateOptions, 'invite' | 'userData'>
    ): Candidate
    suspend(): Promise<void>
    resume(): void
    refresh(): Promise<void>

    static readonly Invite: Encoder<DecodedInvite>
    static createInvite(key: Uint8Array, options?: InviteOptions): Invite
    static decodeInvite(invite: Uint8Array): DecodedInvite
    static verifyReceipt(receipt: Uint8Array, invitePublicKey: Uint8Array): Uint8Array | null
    static createRequest(invite: Uint8Array, userData: Uint8Array): CandidateRequest
  }
}
