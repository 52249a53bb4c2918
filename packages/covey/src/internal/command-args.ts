/** What stands on a command line behind the name of the command. */
export interface CommandArgs {
  /** What is no option. */
  readonly words: readonly string[]
  /** The values of an option, in their order. */
  valuesOf(option: string): string[]
}

/** @throws {TypeError} for an option that is none of `options`, or that has no value. */
export function readCommandArgs(args: readonly string[], options: readonly string[]): CommandArgs {
  const words: string[] = []
  const values: (readonly [string, string])[] = []
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (!arg.startsWith('--')) {
      words.push(arg)
      continue
    }
    if (!options.includes(arg)) throw new TypeError(`there is no option ${arg}: try covey --help`)
    const value = args[++i]
    if (value === undefined) throw new TypeError(`${arg} has no value`)
    values.push([arg, value])
  }
  return { words, valuesOf: (option) => values.flatMap(([name, value]) => (name === option ? [value] : [])) }
}
