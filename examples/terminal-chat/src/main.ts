/** A chat in two terminals: the smallest whole app on Covey. `npm start -- --help` says how to use it. */
import { explain } from './chat-error.js'
import { parseCommand, USAGE } from './command.js'
import { run } from './run.js'

const leave = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => leave.abort())

try {
  const command = parseCommand(process.argv.slice(2))
  if (command.verb === 'help') console.log(USAGE)
  else await run(command, leave.signal)
} catch (error) {
  if (error !== leave.signal.reason) {
    console.error(explain(error))
    process.exitCode = 1
  }
}
