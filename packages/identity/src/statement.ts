import { assertBytes, assertOptions, assertString, writeBytes } from '@covey/core'
import { MAX_CONTEXT_BYTES, MAX_LABEL_LENGTH, MAX_STATEMENT_BYTES } from './constants.js'
import { domain, isSignedBy, sign, SIGNATURE_BYTES } from './internal/crypto.js'

const VERSION = 1
const STATEMENT = domain('device-statement/1')

/** What a device says by a statement: `data`, for the use `domain`, in the surroundings `context`. */
export interface StatementBody {
  /** What the statement is for, unique to one use, such as `covey/rooms/writer/1`. 1 to 256 characters. */
  domain: string
  /** Where it holds: a room key, or the handshake hash of a connection. At most 64 bytes. */
  context: Uint8Array
  /** What is stated. At most 65,536 bytes; state a hash of what is longer. */
  data: Uint8Array
}

/** What a statement is held against by {@link verifyStatement}. */
export interface ExpectedStatement extends StatementBody {
  /** The signing key of the device that must have made it: 32 bytes. */
  device: Uint8Array
}

/**
 * Whether `statement` is what `LocalIdentity.signStatement` of the expected device made of the
 * expected domain, context and data. The bytes may come from anyone, and so may the expected data:
 * what cannot have been signed is `false`, never an exception.
 *
 * A statement proves a device key, not a person. Put whatever must not be swapped, such as the
 * identity or a hash of the certificate, into `data`.
 *
 * @throws {TypeError} when an argument has the wrong type, not for its length.
 * @example
 * ```ts
 * import { createMemorySecretStore, openIdentity, verifyStatement } from '@covey/identity'
 *
 * const alice = await openIdentity({ storage: createMemorySecretStore() })
 * const body = { domain: 'example/hello/1', context: new Uint8Array(32), data: new Uint8Array([1]) }
 * const statement = alice.signStatement(body.domain, body.context, body.data)
 * console.log(verifyStatement(statement, { ...body, device: alice.device.publicKey }))
 * ```
 */
export function verifyStatement(statement: Uint8Array, expected: ExpectedStatement): boolean {
  assertBytes(statement, 'statement')
  assertOptions(expected, 'expected', ['domain', 'context', 'data', 'device'])
  const { device, ...body } = expected
  assertBytes(device, 'expected.device')
  assertBytes(body.context, 'expected.context')
  assertBytes(body.data, 'expected.data')
  assertString(body.domain, 'expected.domain')
  if (statement.length !== 1 + SIGNATURE_BYTES || statement[0] !== VERSION || device.length !== 32) return false
  if (!isSignable(body)) return false
  return isSignedBy(device, STATEMENT, encodeBody(body), statement.subarray(1))
}

export function makeStatement(body: StatementBody, deviceSecretKey: Uint8Array): Uint8Array {
  assertString(body.domain, 'domain', { minLength: 1, maxLength: MAX_LABEL_LENGTH })
  assertBytes(body.context, 'context')
  assertBytes(body.data, 'data')
  if (!isSignable(body)) {
    throw new TypeError(
      `context must be at most ${MAX_CONTEXT_BYTES} bytes, and data at most ${MAX_STATEMENT_BYTES}`
    )
  }
  const signature = sign(STATEMENT, encodeBody(body), deviceSecretKey)
  return writeBytes((writer) => writer.uint8(VERSION).bytes(signature))
}

function isSignable({ domain: text, context, data }: StatementBody): boolean {
  return (
    text.length > 0 &&
    text.length <= MAX_LABEL_LENGTH &&
    context.length <= MAX_CONTEXT_BYTES &&
    data.length <= MAX_STATEMENT_BYTES
  )
}

function encodeBody({ domain: text, context, data }: StatementBody): Uint8Array {
  return writeBytes((writer) =>
    writer
      // A UTF-16 code unit takes at most three bytes.
      .text(text, MAX_LABEL_LENGTH * 3)
      .prefixedBytes(context, MAX_CONTEXT_BYTES)
      .prefixedBytes(data, MAX_STATEMENT_BYTES)
  )
}
