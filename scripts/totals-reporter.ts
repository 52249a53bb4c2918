import { writeFileSync } from 'node:fs'
import type { SerializedError } from 'vitest'
import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** What a run of Vitest came to, as the file holds it that TEST_TOTALS names. */
interface Totals {
  passed: number
  /** Also files that could not be run, and errors that no test caught. */
  failed: number
  skipped: number
  /** One line a skipped test, with the reason that it gives. */
  skips: string[]
}

/** Vitest's own json reporter leaves out why a test was skipped. */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const file = process.env['TEST_TOTALS']
    if (file === undefined) throw new Error('TEST_TOTALS must name the file to write.')
    const totals: Totals = { passed: 0, failed: errors.length, skipped: 0, skips: [] }
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      for (const test of tests) count(test, totals)
      // A file that does not load, or a hook that throws, may leave no failed test behind.
      if (module.state() === 'failed' && !tests.some((test) => test.result().state === 'failed')) totals.failed++
    }
    writeFileSync(file, JSON.stringify(totals))
  }
}

function count(test: TestCase, totals: Totals): void {
  const result = test.result()
  if (result.state === 'passed') totals.passed++
  else if (result.state === 'failed') totals.failed++
  else {
    totals.skipped++
    const reason = result.state === 'skipped' ? (result.note ?? 'no reason given') : 'it did not run'
    totals.skips.push(`${test.module.relativeModuleId} > ${test.fullName}: ${reason}`)
  }
}
