import { expect, test } from 'vitest'
import { run } from './support/run.js'

const ATTACKS: Readonly<Record<string, RegExp>> = {
  'request-without-session': /^stopped: TypeError/,
  'request-without-session-in-mailbox': /^stopped: TypeError/,
  'request-flood': /\d{3,} requests at once are being answered/,
  'request-remembered': /12 failed requests are remembered/,
  'session-repeated': /nobody answered/,
  'response-forged': /refused: Could not decrypt reply/
}

test.for(Object.entries(ATTACKS))('%s: succeeds on stock blind-pairing', async ([attack, expected]) => {
  const { report, errors } = await run('run-pairing-attack.ts', attack, 'stock')
  const outcome = report === undefined ? `stopped: ${/^\w*Error.*$/m.exec(errors)?.[0] ?? ''}` : report.failure
  expect(outcome).toMatch(expected)
})

test.for([...Object.keys(ATTACKS), 'request-odd'])('%s: who has the invite is let in all the same', async (attack) => {
  const { report, errors } = await run('run-pairing-attack.ts', attack, 'guarded')
  expect(report, errors).toMatchObject({ failure: null })
})
