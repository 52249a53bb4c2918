import { styleText } from 'node:util'

/** Prints steps, each with the seconds since the start; coloured where the terminal shows colours. */
export function createNarrator(output: NodeJS.WriteStream): (step: string) => void {
  const startedAt = performance.now()
  // False, too, where NO_COLOR is set.
  const hasColors = output.isTTY && output.hasColors()
  return (step) => {
    const time = `${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s`
    output.write(`${hasColors ? styleText('dim', time) : time}  ${step}\n`)
  }
}
