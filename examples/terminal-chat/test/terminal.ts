import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { spawn } from '@lydell/node-pty'
import xterm from '@xterm/headless'

export const FOLDER = fileURLToPath(new URL('..', import.meta.url))

/** What starts the chat, as `npm start --` does. */
export const CHAT = [process.execPath, '--import', 'tsx', '-C', '@covey/source', 'src/main.ts'] as const

const WAIT_LIMIT_MS = 30_000

/** A program in a pseudo-terminal of 80 columns and 24 rows, with the screen as a person sees it. */
export interface Terminal {
  /** Presses keys. */
  type(keys: string): void
  /** The rows from the first to the last that is not empty, without spaces at their ends. */
  rows(): string[]
  /** Resolves when the cursor is in the last row, between these two texts. */
  showsCursor(before: string, after: string): Promise<void>
  /** Every byte of the output. */
  output(): string
  /** What a program has set as the window's title. */
  title(): string
  /** Resolves with the text that `pattern` found in the output, now or later. */
  printed(pattern: RegExp): Promise<string>
  /** Resolves when a row is exactly `row`, or is matched by it. */
  shows(row: string | RegExp): Promise<void>
  /** The exit code, with which the program ended by itself. */
  readonly exitCode: Promise<number>
  /** Ends the program and all that waits here, if it has not ended. */
  kill(): void
}

/** Opens a terminal in the folder of the example and runs a program in it. */
export function openTerminal([file, ...args]: readonly [string, ...string[]]): Terminal {
  const emulator = new xterm.Terminal({ cols: 80, rows: 24, allowProposedApi: true })
  const program = spawn(file, args, { name: 'xterm', cols: 80, rows: 24, cwd: FOLDER, env: { ...process.env } })
  const changes = new EventEmitter()
  let output = ''
  let title = ''
  let isRunning = true
  emulator.onTitleChange((text) => (title = text))
  program.onData((data) => {
    output += data
    emulator.write(data, () => changes.emit('change'))
  })
  const exitCode = new Promise<number>((resolve) => {
    program.onExit((exit) => {
      isRunning = false
      resolve(exit.signal ? 128 + exit.signal : exit.exitCode)
    })
  })

  const lines = (): string[] => {
    const { active } = emulator.buffer
    return Array.from({ length: active.length }, (_, y) => active.getLine(y)?.translateToString(true).trimEnd() ?? '')
  }
  const rows = (): string[] => {
    const all = lines()
    return all.slice(0, all.findLastIndex((row) => row !== '') + 1)
  }

  async function until<Value>(what: string, find: () => Value | undefined): Promise<Value> {
    const signal = AbortSignal.timeout(WAIT_LIMIT_MS)
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      try {
        await once(changes, 'change', { signal })
      } catch {
        throw new Error(`Not seen: ${what}. The screen:\n${rows().join('\n')}`)
      }
    }
  }

  return {
    type: (keys) => program.write(keys),
    rows,
    async showsCursor(before, after) {
      await until(`${before}|${after}`, () => {
        const { baseY, cursorX, cursorY } = emulator.buffer.active
        const all = lines()
        const isLast = all.slice(baseY + cursorY + 1).every((row) => row === '')
        const row = (all[baseY + cursorY] ?? '').padEnd(cursorX)
        return isLast && row.slice(0, cursorX) === before && row.slice(cursorX) === after ? true : undefined
      })
    },
    output: () => output,
    title: () => title,
    printed: (pattern) => until(String(pattern), () => pattern.exec(output)?.[0]),
    async shows(row) {
      const isIt = (each: string): boolean => (typeof row === 'string' ? each === row : row.test(each))
      await until(String(row), () => rows().find(isIt))
    },
    exitCode,
    kill: () => void (isRunning && program.kill('SIGKILL'))
  }
}
