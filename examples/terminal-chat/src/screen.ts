import { clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline'

/** A terminal with a line being typed at the bottom, which what is printed leaves alone. */
export interface Screen {
  print(text: string): void
  /** What is typed; ends with Ctrl-C, Ctrl-D and {@link close}. */
  readonly lines: AsyncIterable<string>
  /** Gives the terminal back as it was. Idempotent. */
  close(): void
}

export function openScreen(input: NodeJS.ReadStream, output: NodeJS.WriteStream): Screen {
  const terminal = input.isTTY && output.isTTY
  const readline = createInterface({ input, output, terminal, prompt: terminal ? '> ' : '' })
  let isOpen = true
  // At once: it misses what is typed before it.
  const typed = readline[Symbol.asyncIterator]()
  // Ctrl-D, and the end of an input that is no terminal, close it.
  readline.on('SIGINT', () => readline.close())
  readline.once('close', () => {
    isOpen = false
    clearLine()
  })

  /** Takes the line that is being typed off the screen, and says how many rows were above its cursor. */
  function clearLine(): number {
    if (!terminal) return 0
    const { rows } = readline.getCursorPos()
    moveCursor(output, 0, -rows)
    cursorTo(output, 0)
    clearScreenDown(output)
    return rows
  }

  function print(text: string): void {
    const rows = clearLine()
    output.write(`${text}\n`)
    if (!isOpen || !terminal) return
    // The prompt draws itself as many rows higher as its cursor was in the line.
    output.write('\n'.repeat(rows))
    readline.prompt(true)
  }

  async function* lines(): AsyncGenerator<string, void, undefined> {
    if (isOpen) readline.prompt()
    for await (const line of typed) {
      yield line
      if (isOpen) readline.prompt()
    }
  }

  return { print, lines: lines(), close: () => readline.close() }
}
