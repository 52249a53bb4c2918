import { mkdtemp, open, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { openLedger, type LedgerLine } from '../src/ledger.js'

function line(payment: string): LedgerLine {
  return { payment, from: 'bob', amount: '21', asset: 'test:play/slip44:1', at: 1 }
}

it('has each line once, and whole, also where writing it has failed at first', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'ledger.jsonl')
  const ledger = await openLedger(path)
  expect(await ledger.add(line('first'))).toBe(true)
  const file = await open(path)
  const sync = vi.spyOn(Object.getPrototypeOf(file) as typeof file, 'sync')
  onTestFinished(() => sync.mockRestore())
  await file.close()
  // Half of it is on the disk, and then all of it.
  sync.mockImplementationOnce(async () => {
    await truncate(path, (await stat(path)).size - 20)
    throw new Error('ENOSPC')
  })
  await expect(ledger.add(line('second'))).rejects.toThrow('ENOSPC')
  sync.mockRejectedValueOnce(new Error('EIO'))
  await expect(ledger.add(line('second'))).rejects.toThrow('EIO')
  expect(await Promise.all([ledger.add(line('second')), ledger.add(line('second'))])).toEqual([true, false])
  expect(await ledger.add(line('third'))).toBe(true)
  expect((await openLedger(path)).lines).toEqual(['first', 'second', 'third'].map(line))
})
