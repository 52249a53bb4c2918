/** Sends a file by a link, without a server. `npm start -- --help` says how to use it. */
import { constants } from 'node:os'
import { parseCommand, USAGE } from './command.js'
import { get } from './get.js'
import { send } from './send.js'
import { explain } from './send-error.js'

const leave = new AbortController()
/** The code of a program that a signal has ended before its work was done. */
let interruptedCode = 0
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    interruptedCode = 128 + constants.signals[signal]
    leave.abort()
  })
}

try {
  const command = parseCommand(process.argv.slice(2))
  if (command.verb === 'help') console.log(USAGE)
  else if (command.verb === 'send') await send(command, leave.signal)
  else await get(command, leave.signal)
} catch (error) {
  if (error === leave.signal.reason) {
    process.exitCode = interruptedCode
  } else {
    console.error(explain(error))
    process.exitCode = 1
  }
}
