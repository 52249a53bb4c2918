import type BlindPairing from 'blind-pairing'
import core from 'blind-pairing-core'
import { encodeZ32 } from '@covey/core'
import { hash } from '../crypto.js'
import type {
  CandidateRequest,
  MemberRequest,
  UpstreamCandidate,
  UpstreamCandidateRequest,
  UpstreamMember,
  UpstreamPairing
} from './pairing-internals.js'
import { createRateLimit, type RateLimit } from './rate-limit.js'
import { isRequest, readResponse } from './read-request.js'
import { assertUpstream } from './upstream.js'

/** How many requests may wait for an answer: work that is done before anybody is known. */
const MAX_PENDING = 64

/** How many of them one connection may have. */
const MAX_PENDING_OF_PEER = 4

/** A candidate sends one request a connection and try. */
const PEER_RATE = { burst: 16, perSecond: 0.5 }

/** How many mailboxes in the DHT are looked into; anybody can announce one. */
const MAILBOX_RATE = { burst: 128, perSecond: 1 }

const ANSWERS: ReadonlySet<string | undefined> = new Set(['PAIRING_REJECTED', 'INVITE_USED', 'INVITE_EXPIRED'])

/**
 * Lets nothing of what a stranger sends into blind-pairing before its size and shape are known, and
 * bounds what strangers can have done.
 *
 * The attacks, in blind-pairing 2.3.1: a request without a session makes `b4a.toString` throw
 * (index.js:456), protomux hands the TypeError to safety-catch (protomux 3.12.1, index.js:817), and
 * every member that invites stops, before anything was proven. The same request in a mailbox of the
 * DHT, which anybody can announce, comes by `_poll` (index.js:412). Requests are told apart by the
 * session alone (index.js:458), which is sent in clear: whoever repeats it with other bytes is
 * answered in place of the candidate. One that fails is remembered for ever (index.js:471). A
 * response that nobody made counts as a refusal (blind-pairing-core 2.10.1, index.js:85), so any peer
 * on the topic ends a join.
 *
 * To be called before members and candidates are added.
 *
 * @throws {RoomError} UPSTREAM_UNSUPPORTED
 */
export function guardPairing(pairing: BlindPairing, onwarning: (error: unknown) => void = () => undefined): void {
  assertUpstream('blind-pairing', 'blind-pairing-core')
  const upstream = pairing as unknown as UpstreamPairing
  const peers = new WeakMap<object, { readonly rate: RateLimit; pending: number }>()

  const addMember = upstream.addMember.bind(upstream)
  upstream.addMember = (options) => guardMember(addMember(options), onwarning)

  const addCandidate = upstream.addCandidate.bind(upstream) as (...args: unknown[]) => UpstreamCandidate
  const candidates = new WeakSet<object>()
  upstream.addCandidate = (...args: unknown[]) => {
    const candidate = addCandidate(...args)
    // Upstream calls this method itself, with other arguments.
    if (!candidates.has(candidate)) guardCandidateRequest(candidate.request)
    candidates.add(candidate)
    return candidate
  }

  /** Does the work that a peer asks for, unless it asks for too much. */
  async function serve(connection: object, work: () => Promise<void>): Promise<void> {
    const peer = peers.get(connection) ?? { rate: createRateLimit(PEER_RATE), pending: 0 }
    peers.set(connection, peer)
    if (peer.pending >= MAX_PENDING_OF_PEER || !peer.rate.take()) return
    peer.pending++
    try {
      await work()
    } catch (error) {
      onwarning(error)
    } finally {
      peer.pending--
    }
  }

  const onrequest = upstream._onpairingrequest.bind(upstream)
  upstream._onpairingrequest = (channel, ref, request) =>
    serve(channel._mux, () => onrequest(channel, ref, request))

  const onresponse = upstream._onpairingresponse.bind(upstream)
  upstream._onpairingresponse = (channel, ref, response) =>
    serve(channel._mux, () => onresponse(channel, ref, response))
}

function guardMember(member: UpstreamMember, onwarning: (error: unknown) => void): UpstreamMember {
  const pending = new Map<string, Promise<MemberRequest | null>>()

  async function answer(bytes: Uint8Array): Promise<MemberRequest | null> {
    const request = core.MemberRequest.from(bytes)
    request.discoveryKey = member.discoveryKey
    await member.onadd(request)
    return request.response === null ? null : request
  }

  member._addRequest = async (value) => {
    if (!isRequest(value)) return null
    // A copy: what arrives is a part of a frame that may be a thousand times as large.
    const bytes = Uint8Array.from(value)
    const id = encodeZ32(hash('covey/pairing-request/1', bytes))
    const known = pending.get(id)
    if (known !== undefined) return known
    if (pending.size >= MAX_PENDING) return null
    const answering = answer(bytes)
      .catch((error: unknown) => {
        onwarning(error)
        return null
      })
      .finally(() => pending.delete(id))
    pending.set(id, answering)
    return answering
  }

  const mailboxes = createRateLimit(MAILBOX_RATE)
  const add = member._add.bind(member)
  member._add = async (publicKey, id) => {
    // What is read is not read again, so it is left for later when there is no room for it.
    if (pending.size >= MAX_PENDING || !mailboxes.take()) return false
    try {
      return await add(publicKey, id)
    } catch (error) {
      onwarning(error)
      return false
    }
  }
  return member
}

/** Hands on only what somebody made who has the invite: an admission, or one of the refusals. */
function guardCandidateRequest(candidate: CandidateRequest): void {
  const request = candidate as UpstreamCandidateRequest
  const handle = request.handleResponse.bind(request)
  request.handleResponse = (bytes) => {
    if (request.token === null) return null
    const sealed = readResponse(bytes)
    if (sealed === undefined) return null
    try {
      request._openResponse(sealed)
    } catch (error) {
      if (!ANSWERS.has((error as { code?: string }).code)) return null
    }
    return handle(bytes)
  }
}
