import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openFileJournal, type JournalEntry } from '@covey/payments'
import { codeOf, MSAT, NOW, ROOM } from './support/people.js'

function entry(change: Partial<JournalEntry> = {}): JournalEntry {
  return {
    requestHash: new Uint8Array(32).fill(1),
    state: 'sent',
    room: ROOM,
    request: new Uint8Array(900).fill(2),
    provider: 'test',
    method: 1,
    money: { asset: MSAT, amount: 2n ** 256n - 1n },
    maxFee: { asset: 'eip155:1/slip44:60', amount: 0n },
    destination: new Uint8Array(32).fill(3),
    handle: new Uint8Array(500).fill(4),
    proof: new Uint8Array(),
    attempts: 2,
    beganMs: NOW,
    isCancelled: true,
    refundOf: new Uint8Array(52).fill(5),
    ...change
  }
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'covey-journal-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

test('what was put is there after it was opened again, the newest of each request', async () => {
  const path = join(await folder(), 'deep', 'payments')
  const journal = await openFileJournal(path)
  await Promise.all([
    journal.put(entry({ state: 'begun' })),
    journal.put(entry()),
    journal.put(entry({ requestHash: new Uint8Array(32).fill(9), state: 'paid', proof: ROOM }))
  ])
  await journal.close()
  await journal.close()
  const again = await openFileJournal(path)
  expect(again.get(new Uint8Array(32).fill(1))).toEqual(entry())
  expect(again.get(new Uint8Array(32).fill(9))).toMatchObject({ state: 'paid', proof: ROOM })
  expect(again.get(ROOM)).toBeUndefined()
  expect(again.list()).toHaveLength(2)
  await again.close()
  expect(await codeOf(() => again.put(entry()))).toBe('PAYMENTS_CLOSED')
})

test('one opener at a time, and a killed process holds nothing', async () => {
  const path = await folder()
  const program = `import { openFileJournal } from '@covey/payments'; await openFileJournal(${JSON.stringify(path)}); console.log('open'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--import', 'tsx', '-C', '@covey/source', '--input-type=module', '-e', program], { cwd: import.meta.dirname })
  await once(child.stdout, 'data')
  expect(await codeOf(() => openFileJournal(path))).toBe('JOURNAL_LOCKED')
  child.kill('SIGKILL')
  await once(child, 'close')
  const journal = await openFileJournal(path)
  expect(await codeOf(() => openFileJournal(path))).toBe('JOURNAL_LOCKED')
  await journal.close()
})

test('an entry that is damaged, cut or renamed is not skipped; what was never put is', async () => {
  const path = await folder()
  const journal = await openFileJournal(path)
  await journal.put(entry())
  await journal.close()
  const [name] = (await readdir(path)).filter((file) => file !== 'lock')
  const file = join(path, name!)
  const bytes = await readFile(file)
  for (let at = 0; at < bytes.length; at += 7) {
    const flipped = Uint8Array.from(bytes)
    flipped[at]! ^= 1
    await writeFile(file, flipped)
    expect(await codeOf(() => openFileJournal(path)), `byte ${at}`).toBe('JOURNAL_DAMAGED')
  }
  for (const length of [0, 1, 31, 32, bytes.length - 1]) {
    await writeFile(file, bytes.subarray(0, length))
    expect(await codeOf(() => openFileJournal(path)), `${length} bytes`).toBe('JOURNAL_DAMAGED')
  }
  await writeFile(file, bytes)
  await writeFile(join(path, 'y'.repeat(52)), bytes)
  expect(await codeOf(() => openFileJournal(path))).toBe('JOURNAL_DAMAGED')
  await rm(join(path, 'y'.repeat(52)))
  // What a crash leaves of a write.
  await writeFile(`${file}.tmp`, bytes.subarray(0, 100))
  const again = await openFileJournal(path)
  expect(again.list()).toEqual([entry()])
  expect(new Set(await readdir(path))).toEqual(new Set([name, 'lock']))
  await again.close()
})

test('a folder that cannot be is an error', async () => {
  const path = join(await folder(), 'file')
  await writeFile(path, '')
  expect(await codeOf(() => openFileJournal(path))).toBe('JOURNAL_FAILED')
  expect(await codeOf(() => openFileJournal(''))).toBe('TypeError')
})
