import Protomux from 'protomux'
import { Duplex } from 'streamx'
import type { Session } from '../src/internal/session/session.js'

/** A stream of bytes between the two ends of a session, as an application would have one. */
export function streamOf(session: Session): Duplex<Uint8Array> {
  let written: (() => void) | null = null
  const drain = (): void => {
    const done = written
    written = null
    done?.()
  }
  class ChannelStream extends Duplex<Uint8Array> {
    override _write(chunk: Uint8Array, done: () => void): void {
      if (message.send(chunk)) done()
      else written = done
    }

    override _predestroy(): void {
      drain()
    }

    override _destroy(done: () => void): void {
      channel.close()
      done()
    }
  }
  const stream = new ChannelStream()
  const channel = Protomux.from(session as never).createChannel({
    protocol: 'covey/natlab',
    messages: [{ onmessage: ((chunk: Uint8Array) => void stream.push(chunk)) as (message: never) => void }],
    onclose: () => stream.destroy(),
    ondrain: drain
  })!
  const message = channel.messages[0]!
  channel.open()
  return stream
}
