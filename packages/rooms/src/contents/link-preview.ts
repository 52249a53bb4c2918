import { defineContent, jsonCodec, readBytes, writeBytes, type ContentType } from '@covey/core'
import { fieldsOf, textIn } from './check.js'

/**
 * A text with a link, and what the page says of itself, as its sender has found it: nobody else has to ask the page,
 * which would learn who reads what. Nothing proves that the page says so.
 */
export interface LinkPreview {
  /** What is said, with the link in it or without; at most 4,096 bytes as UTF-8, and may be empty. */
  readonly text: string
  /** `http:` or `https:`; at most 2,048 bytes as UTF-8. */
  readonly url: string
  /** At most 256 bytes as UTF-8. */
  readonly title: string
  /** At most 1,024 bytes as UTF-8. */
  readonly description?: string
  /** A small picture, JPEG, PNG or WebP; at most 32,768 bytes. Its bytes come from a peer: decode them with care. */
  readonly image?: Uint8Array
}

const MAX_IMAGE_BYTES = 32_768
/** What the words come to at most, each of whose characters JSON may write as six. */
const MAX_WORDS_BYTES = 45_056
const WEB = /^https?:\/\/[^\s/]+/i

const words = jsonCodec((value): Omit<LinkPreview, 'image'> => {
  const { text, url, title, description } = fieldsOf(value)
  const link = textIn(url, 'url', 2_048)
  if (!WEB.test(link)) throw new TypeError('url must be a link to the web')
  return {
    text: textIn(text, 'text', 4_096, 0),
    url: link,
    title: textIn(title, 'title', 256),
    ...(description !== undefined && { description: textIn(description, 'description', 1_024) })
  }
})

function assertImage(image: Uint8Array): void {
  if (image instanceof Uint8Array && image.length <= MAX_IMAGE_BYTES) return
  throw new TypeError(`image must be at most ${MAX_IMAGE_BYTES} bytes`)
}

/** Links with what their pages say, to be sent as content. */
export const linkPreviewContent: ContentType<LinkPreview> = defineContent({
  name: 'covey/link-preview',
  version: 1,
  codec: {
    encode({ image = new Uint8Array(), ...preview }: LinkPreview) {
      assertImage(image)
      return writeBytes((writer) => writer.prefixedBytes(words.encode(preview), MAX_WORDS_BYTES).bytes(image))
    },
    decode(data, version) {
      const parts = readBytes(data, (reader) => ({ preview: reader.prefixedBytes(MAX_WORDS_BYTES), image: reader.rest() }))
      if (!parts.ok) throw parts.error
      const { preview, image } = parts.value
      assertImage(image)
      return { ...words.decode(preview, version), ...(image.length > 0 && { image }) }
    }
  }
})
