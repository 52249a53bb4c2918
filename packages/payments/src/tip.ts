import { decodeKey, defineContent, encodeZ32, readBytes, writeBytes, type ContentType } from '@covey/core'
import { readMoney, writeMoney } from './internal/amount.js'
import { assertMoney, type Money } from './money.js'

/** That somebody wants to tip the author of a message: what the author answers with a request to that person. */
export interface TipOffer {
  /** The id of the message that is tipped. z-base-32, 52 characters. */
  readonly message: string
  readonly money: Money
}

const REFERENCE = /^tip\/([ybndrfg8ejkmcpqxot1uwisza345h769]{52})\/([ybndrfg8ejkmcpqxot1uwisza345h769]{52})$/

/** An offer to tip in a room. Its author is the author of the message that it comes in: nothing in it says who that is. */
export const paymentTipContent: ContentType<TipOffer> = defineContent<TipOffer>({
  name: 'covey/payment-tip',
  version: 1,
  codec: {
    encode({ message, money }) {
      const id = decodeKey(message, 'message')
      assertMoney(money, 'money')
      return writeBytes((writer) => writeMoney(writer.bytes(id), money))
    },
    decode(data) {
      const offer = readBytes(data, (reader) => ({ message: encodeZ32(reader.bytes(32)), money: readMoney(reader) }))
      if (!offer.ok) throw offer.error
      return offer.value
    }
  }
})

/**
 * The `reference` of the request that answers an offer, by the ids of the message that is tipped and of the message
 * that the offer came in.
 *
 * @throws {TypeError} that names the field.
 */
export function tipReference(tip: { readonly message: string; readonly offer: string }): string {
  decodeKey(tip.message, 'tip.message')
  decodeKey(tip.offer, 'tip.offer')
  return `tip/${tip.message}/${tip.offer}`
}

/** What {@link tipReference} has made, or `undefined` for any other reference. */
export function readTipReference(reference: string): { readonly message: string; readonly offer: string } | undefined {
  const [, message, offer] = REFERENCE.exec(reference) ?? []
  return message === undefined || offer === undefined ? undefined : { message, offer }
}
