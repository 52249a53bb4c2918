import {
  decodeLink,
  decodeUtf8,
  decodeZ32,
  encodeLink,
  isCoveyError,
  readBytes,
  type ByteReader,
  type ContentType,
  type CoveyError,
  type Result
} from '../../packages/core/src/index.js'
import { decodeCertificate, decodeDeviceRequest, verifyCertificate, verifyRevocation, verifyStatement, createMemorySecretStore } from '../../packages/identity/src/index.js'
import { openBackup, readSecrets } from '../../packages/identity/src/internal/secrets.js'
import { withChecksum } from '../../packages/identity/test/support/forge.js'
import { isAuthority, parseAction } from '../../packages/rooms/src/internal/authority/action.js'
import { verifyClaim } from '../../packages/rooms/src/internal/claim.js'
import { decodeFrame, encodeFrame, type Frame } from '../../packages/rooms/src/internal/bundle/format.js'
import { isOfRoom, makeHeader, readHeader } from '../../packages/rooms/src/internal/bundle/seal.js'
import { openSummary, sealSummary } from '../../packages/rooms/src/internal/bundle/summary.js'
import { besideBlock, createUpgrade, rootsOf } from '../../packages/rooms/src/internal/bundle/tree.js'
import { agree } from '../../packages/rooms/src/internal/crypto.js'
import { isEquivocation } from '../../packages/rooms/src/internal/equivocation.js'
import { boundedEncoding } from '../../packages/rooms/src/internal/guards/bounded-encoding.js'
import { isRequest, readResponse } from '../../packages/rooms/src/internal/guards/read-request.js'
import { isReceipt } from '../../packages/rooms/src/internal/invite-keys.js'
import { readBody, readEmoji } from '../../packages/rooms/src/internal/message-body.js'
import { readAsked } from '../../packages/rooms/src/internal/let-in.js'
import { readSaid, sayOp } from '../../packages/rooms/src/internal/lane/said.js'
import { decodeOp, encodeOp, type Op } from '../../packages/rooms/src/internal/op.js'
import { createHolders } from '../../packages/rooms/src/internal/holders.js'
import { openParent, openSlot, readGrants, slotsFor } from '../../packages/rooms/src/internal/slots.js'
import { decodeStruct, encodeStruct, type Structs } from '../../packages/rooms/src/internal/structs.js'
import { linkPreviewContent, locationContent, pollContent, voiceNoteContent } from '../../packages/rooms/src/index.js'
import { decodeDeviceLink } from '../../packages/rooms/src/internal/linking/handshake.js'
import { decodeInvite } from '../../packages/rooms/src/invite.js'
import type { Prng } from '../model/prng.js'
import type { Fixtures } from './fixtures.js'
import { AT_MS } from './fixtures.js'
import { hostile, mutate } from './mutate.js'
import type { Decoder } from './prove.js'
import { randomStruct, STRUCT_NAMES } from './structs.js'

const contents: Record<string, [ContentType<never>, object]> = {
  poll: [pollContent as ContentType<never>, { question: 'Which?', options: ['a', 'b'], isMultiple: true }],
  location: [locationContent as ContentType<never>, { latitude: 1.5, longitude: -2, name: 'here' }],
  'link preview': [linkPreviewContent as ContentType<never>, { text: 'See', url: 'https://example.org', title: 'A', image: new Uint8Array(40) }],
  'voice note': [voiceNoteContent as ContentType<never>, { mediaType: 'audio/ogg', durationMs: 900, levels: new Uint8Array(9), audio: new Uint8Array(50) }]
}
const REFUSED = 'refused'
const ONLY_REFUSED = /^refused$/

/** All that turns bytes of a peer, a link or a file into something. */
export function decodersFor(fixtures: Fixtures): Decoder[] {
  return [...core(fixtures), ...identity(fixtures), ...rooms(fixtures), ...bundles(fixtures), ...pairing(fixtures), ...STRUCT_NAMES.map(structDecoder)]
}

function core({ link, linkBody, deviceLinkBody }: Fixtures): Decoder[] {
  const text = Buffer.from(link)
  return [
    texts('core decodeLink', (random) => asText(random, mutate(random, text)), /^LINK_[A-Z_]+$/, (text) => codeOf(() => decodeLink(text))),
    texts('core decodeLink, of a length', (random) => ' '.repeat(random.below(5_000)) + asText(random, text), /^LINK_[A-Z_]+$/, (text) => codeOf(() => decodeLink(text))),
    texts('core decodeZ32', (random) => asText(random, hostile(random, [text.subarray(13)])), /^DECODE_FAILED$/, (text) => codeOfResult(decodeZ32(text))),
    bytes('core decodeUtf8', [text, Buffer.from('Ǎ☕𝄞')], /^DECODE_FAILED$/, (input) => codeOfResult(decodeUtf8(input))),
    bytes('core readBytes', [readable()], /^DECODE_FAILED$/, (input) => codeOfResult(readBytes(input, readAll, { maxBytes: 4_096 }))),
    texts('rooms decodeInvite', (random) => asText(random, mutate(random, text)), /^(LINK_[A-Z_]+|INVITE_MALFORMED)$/, (text) => codeOf(() => decodeInvite(text))),
    // Whole links, so that what is in them is looked at.
    texts('rooms decodeInvite, whole links', (random) => encodeLink('invite', mutate(random, linkBody).subarray(0, 1_000)), /^(LINK_TOO_LONG|INVITE_MALFORMED)$/, (text) => codeOf(() => decodeInvite(text))),
    texts('rooms decodeDeviceLink, whole links', (random) => encodeLink('device', mutate(random, deviceLinkBody).subarray(0, 1_000)), /^(LINK_TOO_LONG|LINK_MALFORMED)$/, (text) => codeOf(() => decodeDeviceLink(text)))
  ]
}

function identity(fixtures: Fixtures): Decoder[] {
  const { alice, certificates, expectedTablet, revocation, request, statement, sealed, secretsFile, backup, unsealedBackup, room } = fixtures
  const person = alice.identity.publicKey
  const device = alice.device.publicKey
  const file = /^IDENTITY_(FILE_DAMAGED|FILE_TOO_NEW|SEALED|WRONG_PASSPHRASE)$/
  const openSecrets = async (bytes: Uint8Array) => {
    const storage = createMemorySecretStore()
    await storage.write('identity', bytes)
    return readSecrets(storage, { kind: 'none' })
  }
  // Without a passphrase, so that Argon2id, which may honestly be asked for a second, has nothing to do.
  const openBackupOf = (bytes: Uint8Array) => openBackup(bytes, { kind: 'none' })
  const backups = [unsealedBackup, backup]
  return [
    bytes('identity decodeCertificate', certificates, /^CERTIFICATE_[A-Z_]+$/, (input) => codeOfResult(decodeCertificate(input))),
    bytes('identity verifyCertificate', certificates, /^CERTIFICATE_[A-Z_]+$/, (input) => codeOfResult(verifyCertificate(input, expectedTablet))),
    bytes('identity verifyRevocation', [revocation], /^REVOCATION_[A-Z_]+$/, (input) => codeOfResult(verifyRevocation(input, { identity: person }))),
    bytes('identity decodeDeviceRequest', [request], /^IDENTITY_REQUEST_INVALID$/, (input) => codeOfResult(decodeDeviceRequest(input))),
    bytes('identity verifyStatement', [statement], ONLY_REFUSED, (input) => yes(verifyStatement(input, { domain: 'test', context: room, data: room, device }))),
    bytes('identity unseal', [sealed], /^IDENTITY_UNSEAL_FAILED$/, (input) => codeOf(() => alice.unseal('label', input))),
    bytes('identity secrets file', [secretsFile], file, (input) => codeOfAsync(() => openSecrets(input))),
    bytes('identity secrets file, whole', [secretsFile.subarray(0, -32)], file, (input) => codeOfAsync(() => openSecrets(withChecksum(input)))),
    bytes('identity backup', backups, file, (input) => codeOfAsync(() => openBackupOf(input))),
    bytes('identity backup, whole', backups.map((one) => one.subarray(0, -32)), file, (input) => codeOfAsync(() => openBackupOf(withChecksum(input))))
  ]
}

function rooms(fixtures: Fixtures): Decoder[] {
  const { ops, room, core: { key: writer }, slots, grants, device, strangers, commitment, epochKey, parents, parentId, payloads, bodies, alice } = fixtures
  const genuine = ops.map(({ bytes }) => bytes)
  const context = { room, writer, verify: true }
  const devices = [device, ...strangers]
  const wholeOp = (random: Prng): Uint8Array => {
    const { header } = random.pick(ops.filter(({ header: { payload } }) => payload))
    const payload = random.chance(0.1) ? random.pick(Object.values(payloads)) : mutate(random, header.payload!)
    return encodeOp({ ...header, payload: payload.subarray(0, 90_000) })
  }
  const act = (input: Uint8Array, verify: boolean): string => {
    const op = decodeOp(input)
    return yes(op !== undefined && isAuthority(op) && parseAction(op, { ...context, verify }) !== undefined)
  }
  const open = (sealed: Uint8Array, ephemeral: Uint8Array): Uint8Array | undefined =>
    openSlot(room, { ephemeral, sealed }, commitment, device.box, (theirs) => agree(ANY_SECRET, theirs))
  return [
    bytes('rooms decodeOp', genuine, ONLY_REFUSED, (input) => yes(isWhole(decodeOp(input), input))),
    made('rooms parseAction, of any op', (random) => hostile(random, genuine), ONLY_REFUSED, (input) => act(input, true)),
    made('rooms parseAction, of payloads', wholeOp, ONLY_REFUSED, (input) => act(input, true)),
    made('rooms parseAction, signed before', wholeOp, ONLY_REFUSED, (input) => act(input, false)),
    bytes('rooms readSaid', genuine.map((op) => sayOp({ id: parentId, writer, op }, new Uint8Array(64))), ONLY_REFUSED, (input) => yes(readSaid(input) !== undefined)),
    bytes('rooms readBody', [bodies['text-body'], bodies['content-body']], ONLY_REFUSED, (input) => {
      const said = readBody(input)
      for (const { start, length } of said.mentions) if (Array.from(said.text).length < start + length) throw new Error('A mention is not in its text.')
      return yes(said.kind !== 'unknown')
    }),
    bytes('rooms readEmoji', [bodies['reaction-body']], ONLY_REFUSED, (input) => yes(readEmoji(input) !== undefined)),
    ...Object.entries(contents).map(([name, [type, value]]) => bytes(`rooms content ${name}`, [type.create(value as never).data], ONLY_REFUSED, (data) => yes(type.read({ type: type.name, version: 1, data }) !== undefined))),
    bytes('rooms readGrants', [grants.slots], ONLY_REFUSED, (input) => yes(readGrants(input) !== undefined)),
    bytes('rooms slotsFor', [slots.slots], ONLY_REFUSED, (input) => yes(slotsFor(writer, input).length > 0)),
    bytes('rooms createHolders', [slots.slots], ONLY_REFUSED, (input) => {
      const holders = createHolders(input)
      for (const { writer: holder, box } of devices) holders.changed(undefined, { writer: holder, box, device: holder, identity: holder, position: 0 })
      return yes(holders.missing()?.length === 0)
    }),
    made('rooms openSlot', (random) => hostile(random, [join(slots.ephemeral, slotsFor(writer, slots.slots)[0]!)]), ONLY_REFUSED, (input) => {
      // Nobody has the secret here: what opens would be forged. That it is looked for is what counts.
      if (open(input.subarray(32), padded(input.subarray(0, 32))) !== undefined) throw new Error('A forged slot opens.')
      return input.length === 32 + 48 ? 'taken' : REFUSED
    }),
    bytes('rooms openParent', [parents], ONLY_REFUSED, (input) => yes(openParent(room, epochKey, input, parentId) !== undefined)),
    bytes('rooms unseal a record', [alice.seal('covey/room/record/1', encodeStruct('room-record', { namespace: room, discoveryKey: room }))], /^(refused|IDENTITY_UNSEAL_FAILED)$/, (input) => {
      let found: unknown
      const code = codeOf(() => (found = decodeStruct('room-record', alice.unseal('covey/room/record/1', input))))
      return code === 'taken' ? yes(found !== undefined) : code
    })
  ]
}

function bundles({ room }: Fixtures): Decoder[] {
  const node = { hash: room, size: 70_000 }
  const core: Frame = { type: 'core', signer: room, start: 3, end: 9, length: 11, signature: new Uint8Array(64), roots: [node, node, node], tail: [node, node] }
  const block = { value: room, nodes: [node, node] }
  const had = [{ writer: room, length: 7 }, { writer: room, length: 2 ** 39 }]
  const frames: Frame[] = [{ type: 'had', had }, core, { type: 'blocks', first: 2 ** 33, blocks: [block, block, block] }, { type: 'end' }]
  const header = makeHeader(room, room)
  return [
    bytes('rooms bundle header', [header.bytes], /^(refused|malformed|unsupported)$/, (input) => {
      const read = readHeader(input)
      return typeof read === 'string' ? read : yes(isOfRoom(read, room))
    }),
    // What is done with a frame before anything of it is proven.
    bytes('rooms bundle frame', frames.map(encodeFrame), ONLY_REFUSED, (input) => {
      const frame = decodeFrame(input)
      if (frame?.type === 'core') {
        rootsOf(frame)
        createUpgrade().nodes(frame)
      }
      if (frame?.type === 'blocks') for (const { nodes } of frame.blocks) besideBlock(frame.first, nodes)
      if (frame !== undefined && encodeFrame(frame).length !== input.length) throw new Error('A frame is written in two ways.')
      return yes(frame !== undefined)
    }),
    bytes('rooms bundle summary', [sealSummary(room, had)], /^BUNDLE_(MALFORMED|UNSUPPORTED)$/, (input) => codeOf(() => openSummary(room, input)))
  ]
}

function pairing(fixtures: Fixtures): Decoder[] {
  const { joinRequest, pairingRequest, receipt, openPairing, room, oplogEncoding, oplogBlocks, payloads } = fixtures
  const oplog = boundedEncoding(oplogEncoding)
  return [
    bytes('rooms join request', [joinRequest], ONLY_REFUSED, (input) => {
      const claim = decodeStruct('join-request', input)
      return yes(claim !== undefined && verifyClaim(room, claim.writer, claim, AT_MS) !== undefined)
    }),
    bytes('rooms request for approval', [encodeStruct('knock-request', { request: joinRequest, name: 'Bob' })], ONLY_REFUSED, (input) => {
      return yes(readAsked(room, input, { approval: true }, AT_MS) !== undefined)
    }),
    bytes('rooms pairing request', [pairingRequest], ONLY_REFUSED, (input) => yes(isRequest(input) && openPairing(input) !== undefined)),
    bytes('rooms pairing response', [join(room, Uint8Array.of(80), new Uint8Array(80))], ONLY_REFUSED, (input) => yes(readResponse(input) !== undefined)),
    bytes('rooms receipt', [encodeStruct('receipt', receipt)], ONLY_REFUSED, (input) => {
      const decoded = decodeStruct('receipt', input)
      return yes(decoded !== undefined && isReceipt(decoded, joinRequest))
    }),
    bytes('rooms equivocation', [payloads.equivocation!], ONLY_REFUSED, (input) => {
      const proof = decodeStruct('equivocation', input)
      return yes(proof !== undefined && isEquivocation(proof))
    }),
    // A block that throws here is one that freezes its writer.
    bytes('rooms block of a writer', oplogBlocks, ONLY_REFUSED, (input) => {
      try {
        oplog.decode({ start: 0, end: input.length, buffer: Buffer.from(input) })
        return 'taken'
      } catch (error) {
        if (error instanceof Error) return REFUSED
        throw error
      }
    })
  ]
}

function structDecoder(name: keyof Structs): Decoder {
  return made(
    `rooms struct ${name}`,
    (random) => (random.chance(0.05) ? hostile(random, [new Uint8Array(40)]) : mutate(random, randomStruct(random, name))),
    ONLY_REFUSED,
    (input) => {
      const value = decodeStruct(name, input)
      // What is taken goes into the view, and so has to be writable.
      if (value !== undefined) encodeStruct(name, value as never)
      return yes(value !== undefined)
    }
  )
}

function bytes(name: string, valid: readonly Uint8Array[], refusals: RegExp, run: (input: Uint8Array) => string | Promise<string>): Decoder {
  const genuine = valid.map((one) => new Uint8Array(one))
  return made(name, (random) => hostile(random, genuine), refusals, run)
}

function made(name: string, make: (random: Prng) => Uint8Array, refusals: RegExp, run: (input: Uint8Array) => string | Promise<string>): Decoder {
  return { name, make, refusals, run } as Decoder<Uint8Array> as Decoder
}

function texts(name: string, make: (random: Prng) => string, refusals: RegExp, run: (text: string) => string): Decoder {
  return { name, make, refusals, run } as Decoder<string> as Decoder
}

/** As characters of their own, as UTF-8, or as such with what no encoder makes. */
function asText(random: Prng, input: Uint8Array): string {
  const text = Buffer.from(input).toString(random.chance(0.5) ? 'latin1' : 'utf8')
  if (!random.chance(0.1)) return text
  const at = random.below(text.length + 1)
  return text.slice(0, at) + random.pick(['\uD800', '\u200B', '\u212A', '\n', '%', 'I', '\u202E', ' ']) + text.slice(at)
}

function readable(): Uint8Array {
  return Buffer.from([7, 3, 1, 2, 3, 4, 0x54, 0x65, 0x61, 0x21, 0xfd, 0, 1, 9, 9])
}

function readAll(reader: ByteReader): unknown {
  return [reader.uint8(), reader.prefixedBytes(64), reader.text(64), reader.varint(), reader.rest()]
}

function isWhole(op: Op | undefined, input: Uint8Array): boolean {
  if (op === undefined) return false
  if (op.clear.length + op.sealed.length !== input.length) throw new Error('An op was not taken whole.')
  if (Number.isNaN(new Date(op.header.sentAt).getTime())) throw new Error('An op has a time that is none.')
  return true
}

function yes(isTaken: boolean): string {
  return isTaken ? 'taken' : REFUSED
}

function codeOfResult(result: Result<unknown, CoveyError>): string {
  return result.ok ? 'taken' : result.error.code
}

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'taken'
  } catch (error) {
    if (isCoveyError(error)) return error.code
    throw error
  }
}

async function codeOfAsync(work: () => Promise<unknown>): Promise<string> {
  try {
    await work()
    return 'taken'
  } catch (error) {
    if (isCoveyError(error)) return error.code
    throw error
  }
}

function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

function padded(input: Uint8Array): Uint8Array {
  const key = new Uint8Array(32)
  key.set(input)
  return key
}

const ANY_SECRET = new Uint8Array(32).fill(1)
