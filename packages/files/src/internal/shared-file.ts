import { assertInteger, assertOptions, assertSignal, assertString, concatBytes, encodeLink, throwIfAborted, writeBytes } from '@covey/core'
import { MAX_FILE_BYTES, MAX_FILE_NAME_BYTES } from '../constants.js'
import { FileError } from '../errors.js'
import type { BytesOptions, SaveOptions, SharedFile, StreamOptions } from '../file.js'
import { fileContent, writeOffer, type Offer } from '../offer.js'
import { safeType } from './media-http.js'
import type { OpenFile } from './open-file.js'
import { streamFile } from './read-file.js'
import { saveFile } from './save-file.js'
import { Stop } from './stop.js'

/** What an app sees of a file that was offered so. */
export function createSharedFile(opened: OpenFile, offered: Offer): SharedFile {
  const { core, events, id } = opened
  const { signer: _signer, key: _key, size: _size, ...info } = offered

  /** Listens to the signal from when it is read. */
  async function* stream(start: number, end: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, void> {
    yield* streamFile(opened, start, end, new Stop(signal))
  }

  const file: SharedFile = {
    ...info,
    id,
    isOwn: opened.record.isOwn,
    get size() {
      return core.size ?? null
    },
    get content() {
      return fileContent.create(offered)
    },
    progress: () => opened.progress.now(),
    stream(options: StreamOptions = {}) {
      assertOptions(options, 'options', ['start', 'end', 'signal'])
      const { start = 0, end = MAX_FILE_BYTES, signal } = options
      assertInteger(start, 'options.start', { min: 0 })
      assertInteger(end, 'options.end', { min: start })
      assertSignal(signal, 'options.signal')
      return stream(start, end, signal)
    },
    async bytes(options: BytesOptions) {
      assertOptions(options, 'options', ['maxBytes', 'signal'])
      const { maxBytes, signal } = options
      assertInteger(maxBytes, 'options.maxBytes', { min: 0 })
      assertSignal(signal, 'options.signal')
      if ((core.size ?? 0) > maxBytes) throw tooLarge(maxBytes)
      const parts: Uint8Array[] = []
      let length = 0
      for await (const part of stream(0, MAX_FILE_BYTES, signal)) {
        length += part.length
        if (length > maxBytes) throw tooLarge(maxBytes)
        parts.push(part)
      }
      return concatBytes(...parts)
    },
    async saveTo(folder: string, options: SaveOptions = {}) {
      assertString(folder, 'folder', { minLength: 1 })
      assertOptions(options, 'options', ['name', 'signal'])
      const { name = info.name, signal } = options
      assertString(name, 'options.name', { minLength: 1, maxBytes: MAX_FILE_NAME_BYTES })
      assertSignal(signal, 'options.signal')
      throwIfAborted(signal)
      const stop = new Stop(signal)
      try {
        return await saveFile(opened, folder, name, stop)
      } finally {
        stop.close()
      }
    },
    url: () => opened.context.media.serve(opened, safeType(info.type)),
    async link() {
      await opened.keep()
      await opened.update({ isLinked: true })
      opened.announce()
      // The preview is for a message; a link has room for the rest.
      const { preview: _preview, ...offer } = offered
      return encodeLink('file', writeBytes((writer) => writeOffer(writer, offer)))
    },
    async unlink() {
      await opened.update({ isLinked: false })
      await opened.hide()
    },
    forget: () => opened.forget(),
    on: events.on.bind(events),
    once: events.once.bind(events)
  }
  return file
}

function tooLarge(maxBytes: number): FileError {
  return new FileError('FILE_TOO_LARGE', `The file is larger than ${maxBytes} bytes.`, { hint: 'Save it, or read it as a stream.' })
}
