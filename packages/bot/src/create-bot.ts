import { assertFunction, assertInteger, assertOptions, assertString, createClosers, createEvents } from '@covey/core'
import { createPeer, MAX_NAME_BYTES, PEER_OPTIONS, type Room } from 'covey'
import type { Bot, BotEvents, BotInit, StartOptions } from './bot.js'
import { describeScope } from './capabilities.js'
import { DEFAULT_HANDLER_TIMEOUT_MS } from './constants.js'
import { closedError, createBotRooms, roomError, scopeOf } from './internal/bot-rooms.js'
import { createDispatch } from './internal/dispatch.js'
import { openFolder } from './internal/folder.js'
import { openOwnRoom, renewInvite } from './internal/own-room.js'
import { plainLine, plainLines } from './internal/plain-text.js'
import { createRegistry } from './internal/registry.js'
import { openSessions } from './internal/sessions.js'
import { onEndSignal } from './internal/signals.js'
import { openState } from './internal/state.js'
import { readLimits } from './limits.js'

/** The longest time that `setTimeout` can wait. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

/**
 * Makes a bot: opens, or on the first run makes, its identity and its folder. Give it commands and handlers, and
 * start it.
 *
 * On Bare import `bare-abort-controller/global` first.
 *
 * @throws {BotError} BOT_STATE_FAILED
 * @throws whatever `createPeer` throws
 * @throws {TypeError} when an option is malformed or unknown
 * @example
 * ```ts
 * import { createBot } from '@covey/bot'
 *
 * const bot = await createBot({ storage: './bot', name: 'echo' })
 * bot.command('ping', 'answers pong', (ctx) => ctx.reply('pong'))
 * bot.on('text', (ctx) => ctx.reply(`Echo: ${ctx.text}`))
 * await bot.start() // prints its invite; Ctrl-C closes cleanly
 * ```
 */
export async function createBot<Session = Record<string, unknown>>(init: BotInit<Session>): Promise<Bot<Session>> {
  assertOptions(init, 'init', [...PEER_OPTIONS, 'session', 'limits', 'handlerTimeoutMs'])
  const { session = () => ({}) as Session, limits: wanted, handlerTimeoutMs: timeoutMs = DEFAULT_HANDLER_TIMEOUT_MS, ...peerInit } = init
  const { name, storage } = init
  assertString(name, 'init.name', { minLength: 1, maxBytes: MAX_NAME_BYTES })
  if (storage !== undefined) assertString(storage, 'init.storage', { minLength: 1 })
  assertFunction(session, 'init.session')
  assertInteger(timeoutMs, 'init.handlerTimeoutMs', { min: 1, max: MAX_TIMEOUT_MS })
  const limits = readLimits(wanted)

  const folder = await openFolder(storage)
  const closers = createClosers()
  closers.add(folder.release)
  try {
    // First, because it takes the lock of the folder.
    const peer = await createPeer({ ...peerInit, storage: `${folder.path}/peer` })
    closers.add(() => peer.close())
    const state = await openState(`${folder.path}/bot`)
    closers.add(() => state.close())
    const sessions = await openSessions(state, session)
    const registry = createRegistry<Session>()
    const events = createEvents<BotEvents>()
    const emit = <Name extends keyof BotEvents>(event: Name, payload: BotEvents[Name]): void => void events.emit(event, payload)
    const dispatch = createDispatch(registry, name)
    const rooms = createBotRooms({ device: peer.device.id, state, sessions, limits, timeoutMs, dispatch, emit })
    let print = (line: string): void => console.log(line) // oxlint-disable-line no-console -- what a person who starts a bot looks for
    let starting: Promise<void> | undefined
    let ending: Promise<void> | undefined
    let own: Room | undefined

    /** Of the author; without any, errors are printed. */
    let errorListeners = 0
    events.on('error', (error) => {
      if (errorListeners === 0) printError(error)
    })
    peer.rooms.on('error', (error) => emit('error', roomError(error)))
    peer.rooms.on('leave', ({ id }) => rooms.forget(id))
    await rooms.forgetAllBut(peer.rooms.list())

    async function start({ invite = true, handleSignals = true, print: wantedPrint = print }: StartOptions): Promise<void> {
      print = wantedPrint
      registry.close()
      if (handleSignals) {
        const stop = onEndSignal(() => void close().catch(printError))
        closers.add(stop)
      }
      events.on('room', ({ roomName, role }) => print(`In “${plainLine(roomName)}” I am ${describeScope(role)}.`))
      peer.rooms.on('open', ({ room }) => rooms.open(room))
      own = invite ? await openOwnRoom(peer, name, state) : undefined
      const opening = peer.rooms.list().map(async (room) => {
        const isOpened = rooms.open(room)
        // Where it is no member, it is a matter of others when it will be; a room that does not open says so there.
        const info = await room.info().catch(() => undefined)
        if (info?.role !== undefined) await isOpened
      })
      await Promise.all(opening)
      if (own === undefined) return
      print(`${plainLine(name)} is there. Who has this link can come in:`)
      print(await renewInvite(own, state))
    }

    /** An error for a terminal: its cause may hold what a member wrote. */
    function printError(error: unknown): void {
      const { message, cause, hint } = error as { message?: string; cause?: unknown; hint?: string }
      const why = cause instanceof Error ? (cause.stack ?? cause.message) : typeof cause === 'string' ? cause : undefined
      print(plainLines([message, hint, why].filter((each) => each !== undefined).join('\n')))
    }

    const close = (): Promise<void> =>
      (ending ??= (async () => {
        // What of the start failed, its caller knows.
        await starting?.catch(() => undefined)
        try {
          await rooms.stop()
        } finally {
          await closers.close()
        }
      })())

    return {
      peer,
      name,
      network: init.network,
      get room() {
        return own
      },
      events: {
        on(event, handler) {
          const stop = events.on(event, handler)
          if (event !== 'error') return stop
          errorListeners++
          return () => {
            errorListeners--
            stop()
          }
        },
        once: events.once.bind(events)
      },
      use: registry.use,
      command(command: string, description: string, ...rest: unknown[]) {
        const [options, handler] = rest.length > 1 ? rest : [{}, rest[0]]
        registry.command(command, description, options as object, handler as () => unknown)
      },
      on: registry.on,
      async start(options = {}) {
        assertOptions(options, 'options', ['invite', 'print', 'handleSignals'])
        if (options.print !== undefined) assertFunction(options.print, 'options.print')
        if (ending !== undefined) throw closedError()
        await (starting ??= start(options))
      },
      async join(invite, options) {
        const room = await peer.rooms.join(invite, options)
        // Before the start, so that what is said until then is not the past.
        if (starting === undefined) await rooms.note(room)
        else await rooms.open(room)
        return room
      },
      scopes: () => Promise.all(peer.rooms.list().map(scopeOf)),
      close,
      [Symbol.asyncDispose]: close
    }
  } catch (error) {
    return closers.closeAndThrow(error)
  }
}
