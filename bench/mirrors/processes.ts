import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Figures, Holding, Told } from './hold.js'

/** A process of its own that holds something for others. */
export interface Holder {
  /** Of a mirror: what peers name it by. */
  readonly link: string
  figures(): Promise<Figures>
  /** Resolves when all is downloaded. */
  readonly whole: Promise<void>
  end(): Promise<void>
}

export async function startHolder(holding: Holding): Promise<Holder> {
  const program = fileURLToPath(new URL('hold.ts', import.meta.url))
  const child = fork(program, [JSON.stringify(holding)], { execArgv: ['--import', 'tsx', '-C', '@covey/source', '--expose-gc'] })
  const ended = once(child, 'exit') as Promise<[number | null]>
  const gone = ended.then(([code]) => Promise.reject(new Error(`The process ended with ${code}.`)))
  // Whoever asks hears of it.
  gone.catch(() => undefined)

  /** The next thing of a kind that it tells. */
  function told<Kind extends string>(kind: Kind): Promise<Extract<Told, Record<Kind, unknown>>> {
    const telling = new Promise<Extract<Told, Record<Kind, unknown>>>((resolve) => {
      const hear = (message: Told): void => {
        if (!(kind in message)) return
        child.off('message', hear)
        resolve(message as Extract<Told, Record<Kind, unknown>>)
      }
      child.on('message', hear)
    })
    return Promise.race([telling, gone])
  }

  const whole = told('isWhole').then(() => undefined)
  whole.catch(() => undefined)
  const { link } = await told('link')
  return {
    link,
    whole,
    async figures() {
      const answer = told('figures')
      child.send('figures')
      return (await answer).figures
    },
    async end() {
      child.disconnect()
      await ended
    }
  }
}
