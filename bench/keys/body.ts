import sodium from 'sodium-universal'
import { open, randomBytes, seal } from '../../packages/rooms/src/internal/crypto.js'
import { decodeOp, encodeOp, OpType } from '../../packages/rooms/src/internal/op.js'
import { bodyContext } from '../../packages/rooms/src/internal/op-log.js'
import { messageKey } from '../../packages/rooms/src/internal/slots.js'
import { decodeStruct, encodeStruct } from '../../packages/rooms/src/internal/structs.js'
import { isQuick, measure } from '../harness.js'

const ROUNDS = isQuick() ? 200 : 20_000
const NONCE_BYTES = 24
const TAG_BYTES = 16

/** A message from its text to the bytes of the op, and back, with the epoch's key at hand. */
export async function measureBodies(textBytes: number): Promise<void> {
  const [room, writer, previous, epoch] = [randomBytes(32), randomBytes(32), randomBytes(32), randomBytes(32)]
  const key = messageKey(room, randomBytes(32))
  const text = 'x'.repeat(textBytes)
  const plain = Buffer.from(text)
  const name = `a text of ${textBytes.toLocaleString('en')} bytes`

  const make = (): Uint8Array => {
    const body = encodeStruct('message-body', { text })
    const header = { type: OpType.message, sentAt: Date.now(), previous, epoch }
    return encodeOp(header, (clear) => seal(body, bodyContext(room, writer, clear), key))
  }
  const bytes = make()
  const read = (): void => {
    const op = decodeOp(bytes)!
    const body = decodeStruct('message-body', open(op.sealed, bodyContext(room, writer, op.clear), key)!)
    if (body?.text?.length !== textBytes) throw new Error('Another text was read.')
  }

  const sealed = new Uint8Array(plain.length + TAG_BYTES)
  const nonce = randomBytes(NONCE_BYTES)
  const bareSeal = (): void => void sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, plain, room, null, nonce, key)
  const opened = new Uint8Array(plain.length)
  const bareOpen = (): void => void sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(opened, null, sealed, room, nonce, key)
  bareSeal()

  await measure(`seal ${name}`, { unit: 'µs', baselineName: 'XChaCha20-Poly1305 alone', value: each(make), baseline: each(bareSeal) })
  await measure(`open ${name}`, { unit: 'µs', baselineName: 'XChaCha20-Poly1305 alone', value: each(read), baseline: each(bareOpen) })
  await measure(`overhead of ${name}`, {
    unit: 'bytes',
    baselineName: 'nonce and tag',
    runs: 1,
    value: async () => bytes.length - textBytes,
    baseline: async () => NONCE_BYTES + TAG_BYTES
  })
}

/** How long one takes, out of many. */
function each(work: () => unknown): () => Promise<number> {
  return async () => {
    const startedAt = performance.now()
    for (let i = 0; i < ROUNDS; i++) work()
    return ((performance.now() - startedAt) * 1_000) / ROUNDS
  }
}
