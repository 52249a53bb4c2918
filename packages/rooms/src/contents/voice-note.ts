import { defineContent, readBytes, writeBytes, type ContentType } from '@covey/core'
import { integerIn, textIn } from './check.js'

/** Something that was spoken, short enough to go with the message. What is longer is a file. */
export interface VoiceNote {
  /** The type of {@link audio}, as `audio/ogg; codecs=opus`; at most 64 bytes as UTF-8. */
  readonly mediaType: string
  /** Milliseconds, 1 to 600,000. */
  readonly durationMs: number
  /** How loud it is from its beginning to its end, each 0 to 255; at most 128. */
  readonly levels: Uint8Array
  /** At most 80,000 bytes. They come from a peer: decode them with care. */
  readonly audio: Uint8Array
}

const MAX_MS = 600_000
const MAX_LEVELS = 128
const MAX_AUDIO_BYTES = 80_000
const MEDIA_TYPE = /^audio\/[a-z0-9.+-]+(?:; ?codecs="?[a-z0-9.,+ -]+"?)?$/

function check({ mediaType, durationMs, levels, audio }: VoiceNote): VoiceNote {
  if (!MEDIA_TYPE.test(textIn(mediaType, 'mediaType', 64))) throw new TypeError('mediaType must be that of audio')
  if (!(levels instanceof Uint8Array) || levels.length > MAX_LEVELS) throw new TypeError(`levels must be at most ${MAX_LEVELS} bytes`)
  if (!(audio instanceof Uint8Array) || audio.length < 1 || audio.length > MAX_AUDIO_BYTES) {
    throw new TypeError(`audio must be 1 to ${MAX_AUDIO_BYTES} bytes`)
  }
  return { mediaType, durationMs: integerIn(durationMs, 'durationMs', 1, MAX_MS), levels, audio }
}

/** Voice notes, to be sent as content. */
export const voiceNoteContent: ContentType<VoiceNote> = defineContent({
  name: 'covey/voice-note',
  version: 1,
  codec: {
    encode(note: VoiceNote) {
      const { mediaType, durationMs, levels, audio } = check(note)
      return writeBytes((writer) => writer.text(mediaType, 64).varint(durationMs).prefixedBytes(levels, MAX_LEVELS).bytes(audio))
    },
    decode(data) {
      const note = readBytes(data, (reader) => ({
        mediaType: reader.text(64),
        durationMs: reader.varint(),
        levels: reader.prefixedBytes(MAX_LEVELS),
        audio: reader.rest()
      }))
      if (!note.ok) throw note.error
      return check(note.value)
    }
  }
})
