import type { Candidate, Member, CandidateOptions, MemberOptions } from 'blind-pairing'
import type BlindPairing from 'blind-pairing'
import type { CandidateRequest, MemberRequest } from 'blind-pairing-core'

// The parts of blind-pairing 2.3.1 and blind-pairing-core 2.10.1 that the guard wraps, as their
// sources have them.

/** index.js */
export interface UpstreamMember extends Member {
  readonly onadd: MemberOptions['onadd']
  _addRequest(value: Uint8Array): Promise<MemberRequest | null>
  _add(publicKey: Uint8Array, id: string): Promise<boolean>
}

/** blind-pairing-core, index.js */
export interface UpstreamCandidateRequest extends CandidateRequest {
  _openResponse(payload: Uint8Array): void
}

export interface UpstreamCandidate extends Candidate {
  _addResponse(value: Uint8Array, gc: boolean): Promise<void>
}

/** Of a Protomux channel, what the guard needs. */
export interface PairingChannel {
  /** The same for all channels of a connection. */
  readonly _mux: object
}

/** What waits for a discovery key; index.js, `_add`. */
export interface PairingRef {
  readonly member: UpstreamMember | null
  readonly candidate: UpstreamCandidate | null
}

/** index.js */
export interface UpstreamPairing extends Omit<BlindPairing, 'addMember' | 'addCandidate'> {
  addMember(options: MemberOptions): UpstreamMember
  addCandidate(options: CandidateOptions): UpstreamCandidate
  addCandidate(
    request: CandidateRequest,
    options: Omit<CandidateOptions, 'invite' | 'userData'>
  ): UpstreamCandidate
  _onpairingrequest(channel: PairingChannel, ref: PairingRef, request: Uint8Array): Promise<void>
  _onpairingresponse(channel: PairingChannel, ref: PairingRef, response: Uint8Array): Promise<void>
}

export type { CandidateRequest, MemberRequest }
