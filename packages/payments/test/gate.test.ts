import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { encodeZ32 } from '@covey/core'
import {
  createGate,
  createMemoryGateJournal,
  createMemoryJournal,
  createPayments,
  openGateJournal,
  readRequest,
  signReceipt,
  signRequest,
  type GateInit,
  type GateJournal,
  type PaymentProvider,
  type PaymentRequest
} from '@covey/payments'
import { createTestRail, TEST_ASSET, TEST_ASSETS } from '@covey/payments/testing'
import { codeOf, OTHER_ROOM, person, ROOM } from './support/people.js'

const [alice, bob, mallory] = await Promise.all([person(), person(), person()])
const price = { asset: TEST_ASSET, amount: 100n }
const maxFee = { asset: TEST_ASSET, amount: 1n }

function world(init: Partial<GateInit> = {}, change: (provider: PaymentProvider) => PaymentProvider = (provider) => provider) {
  const rail = createTestRail()
  const wallet = (signer: typeof alice, provider: PaymentProvider) =>
    createPayments({ signer, journal: createMemoryJournal(), providers: [provider], assets: TEST_ASSETS, ...(init.now && { now: init.now }) })
  const alices = wallet(alice, change(rail.createProvider({ balance: 0n })))
  const granted: Uint8Array[] = []
  const gate = createGate({
    payments: alices,
    journal: createMemoryGateJournal(),
    room: ROOM,
    name: 'tea',
    purpose: 'A cup of tea',
    price,
    grant: async ({ payer }) => {
      granted.push(payer)
      return Uint8Array.of(granted.length)
    },
    ...init
  })
  const payer = (signer: typeof alice) => wallet(signer, rail.createProvider({ balance: 1_000n }))
  return { rail, gate, alices, bobs: payer(bob), mallorys: payer(mallory), granted }
}

test('opens to who has paid, once, and gives the same each time', async () => {
  const { gate, bobs, granted } = world()
  const request = await gate.ask(bob.identity.publicKey)
  expect(request).toMatchObject({ money: price, payer: bob.identity.publicKey, payee: alice.identity.publicKey, reference: 'tea' })
  expect(await codeOf(() => gate.open(request.coreHash))).toBe('NOT_PAID')
  expect(granted).toEqual([])
  await bobs.pay(request, { maxFee })
  const opened = await Promise.all([1, 2, 3].map(() => gate.open(request.coreHash)))
  for (const each of opened) expect(each).toEqual({ requestHash: request.coreHash, payer: bob.identity.publicKey, grant: Uint8Array.of(1) })
  expect(granted).toEqual([bob.identity.publicKey])
  expect(await gate.recover()).toEqual([])
})

test('a preimage opens nothing, whoever shows it: the wallet has to have the money', async () => {
  const { gate, alices, bobs, granted } = world({}, (provider) => ({ ...provider, received: async () => false }))
  const request = await gate.ask(bob.identity.publicKey)
  const receipt = await bobs.pay(request, { maxFee })
  expect(await alices.verify(request, receipt)).toMatchObject({ status: 'valid', level: 'preimage' })
  expect(await codeOf(() => gate.open(request.coreHash, { receipt }))).toBe('NOT_PAID')
  expect(granted).toEqual([])
})

test('what others have paid, or another request, another room or another gate, opens nothing', async () => {
  const made = world()
  const { gate, bobs, mallorys, alices, granted } = made
  const request = await gate.ask(bob.identity.publicKey)
  const mallorysRequest = await gate.ask(mallory.identity.publicKey)
  expect(mallorysRequest.coreHash).not.toEqual(request.coreHash)
  const bobsReceipt = await bobs.pay(request, { maxFee })
  // Bob's proof, as mallory's own: for bob's request, and for hers.
  const stolen = signReceipt(mallory, mallorysRequest, { method: 'test', proof: bobsReceipt.proof })
  expect(await codeOf(() => gate.open(mallorysRequest.coreHash, { receipt: stolen }))).toBe('NOT_PAID')
  expect(await codeOf(() => gate.open(mallorysRequest.coreHash, { receipt: bobsReceipt }))).toBe('MESSAGE_MISMATCH')
  expect(await codeOf(() => mallorys.pay(request, { maxFee }))).toBe('TypeError')
  // Who opens it for bob's payment gives bob what is bob's.
  expect((await gate.open(request.coreHash)).payer).toEqual(bob.identity.publicKey)
  // A cheaper request of the same payee with the same reference is not the gate's.
  const cheap = await alices.request({ room: ROOM, payer: mallory.identity.publicKey, money: { ...price, amount: 1n }, purpose: 'A cup of tea', reference: 'tea' })
  await mallorys.pay(cheap, { maxFee })
  expect(await codeOf(() => gate.open(cheap.coreHash))).toBe('GATE_UNKNOWN_REQUEST')
  // Nor is one of another room.
  const elsewhere = createGate({ payments: alices, journal: createMemoryGateJournal(), room: OTHER_ROOM, name: 'tea', purpose: '', price, grant: async () => new Uint8Array() })
  const other = await elsewhere.ask(mallory.identity.publicKey)
  await mallorys.pay(other, { maxFee })
  expect(await codeOf(() => gate.open(other.coreHash))).toBe('GATE_UNKNOWN_REQUEST')
  expect(readRequest(other.bytes, { room: ROOM, atMs: Date.now() })).toMatchObject({ ok: false, error: { code: 'MESSAGE_WRONG_ROOM' } })
  expect(granted).toEqual([bob.identity.publicKey])
})

test('a request that says less than it asks for is not payable, and nobody else can sign one', async () => {
  const { gate, bobs, rail } = world()
  const request = await gate.ask(bob.identity.publicKey)
  expect(() => signRequest(bob, { ...request, money: { ...price, amount: 1n } }, request.methods)).toThrow(TypeError)
  // Whatever the caller's object says, the signed one counts.
  await bobs.pay({ ...request, money: { ...price, amount: 1n } }, { maxFee })
  expect(rail.moved()).toBe(100n)
  expect(await codeOf(() => gate.open(request.coreHash))).toBeNull()
})

test('a price stands until its request expires, and no longer', async () => {
  let nowMs = Date.now()
  const { gate, bobs } = world({ now: () => nowMs, expiresInMs: 60_000 })
  const atBob = bob.identity.publicKey
  const first = await gate.ask(atBob)
  expect((await gate.ask(atBob)).coreHash).toEqual(first.coreHash)
  gate.setPrice({ ...price, amount: 200n })
  const second = await gate.ask(atBob)
  expect(second.money.amount).toBe(200n)
  await bobs.pay(first, { maxFee })
  expect((await gate.open(first.coreHash)).grant).toEqual(Uint8Array.of(1))
  expect(await codeOf(() => gate.open(second.coreHash))).toBe('NOT_PAID')
  nowMs += 40_000
  expect((await gate.ask(atBob)).coreHash).not.toEqual(second.coreHash)
  nowMs += 30_000
  expect(await codeOf(() => gate.open(second.coreHash))).toBe('EXPIRED')
  expect(await codeOf(() => bobs.pay(second, { maxFee }))).toBe('EXPIRED')
  expect(() => gate.setPrice({ ...price, amount: 0n })).toThrow(TypeError)
})

test('what was paid in time is granted, however late the gate looks', async () => {
  let nowMs = Date.now()
  const { gate, bobs } = world({ now: () => nowMs, expiresInMs: 60_000 })
  const request = await gate.ask(bob.identity.publicKey)
  await bobs.pay(request, { maxFee })
  nowMs += 30 * 24 * 3_600_000
  expect(await gate.recover()).toMatchObject([{ payer: bob.identity.publicKey }])
})

test('one payment opens the gate by one request, also where a provider gives one invoice twice', async () => {
  const rail = createTestRail()
  const spends = new Uint8Array(32).fill(5)
  const { received: _, ...rest } = rail.createProvider({ balance: 0n })
  const lazy: PaymentProvider = {
    ...rest,
    createMethod: async () => ({ type: 'test', data: spends }),
    verify: async () => ({ status: 'valid', level: 'chain', confirmations: 12, spends, reason: 'the one address' })
  }
  const payments = createPayments({ signer: alice, journal: createMemoryJournal(), providers: [lazy], assets: TEST_ASSETS })
  let grants = 0
  const gate = createGate({ payments, journal: createMemoryGateJournal(), room: ROOM, name: 'tea', purpose: '', price, grant: async () => Uint8Array.of(++grants) })
  const [first, second] = [await gate.ask(bob.identity.publicKey), await gate.ask(mallory.identity.publicKey)]
  const receipts = [signReceipt(bob, first, { method: 'test', proof: spends }), signReceipt(mallory, second, { method: 'test', proof: spends })]
  const codes = await Promise.all([codeOf(() => gate.open(first.coreHash, { receipt: receipts[0] })), codeOf(() => gate.open(second.coreHash, { receipt: receipts[1] }))])
  expect(codes).toEqual([null, 'DUPLICATE'])
  expect(grants).toBe(1)
})

test('a wallet that does not answer, and a grant that fails, are tried again', async () => {
  let isDown = true
  let failures = 2
  const { gate, bobs } = world(
    {
      grant: async () => {
        if (failures-- > 0) throw new Error('the room is asleep')
        return Uint8Array.of(7)
      }
    },
    (provider) => ({ ...provider, received: (order, options) => (isDown ? Promise.reject(new Error('refused')) : provider.received!(order, options)) })
  )
  const request = await gate.ask(bob.identity.publicKey)
  await bobs.pay(request, { maxFee })
  expect(await codeOf(() => gate.open(request.coreHash))).toBe('PROVIDER_UNAVAILABLE')
  isDown = false
  expect(await codeOf(() => gate.open(request.coreHash))).toBe('GATE_GRANT_FAILED')
  expect(await gate.recover()).toEqual([])
  expect(gate.list()).toMatchObject([{ state: 'paid' }])
  expect(await gate.recover()).toMatchObject([{ grant: Uint8Array.of(7) }])
})

test('what nobody has paid is over, also after a restart, and is granted all the same where it was', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'covey-gate-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  let nowMs = Date.now()
  let asked = 0
  let isDown = false
  const count = (provider: PaymentProvider): PaymentProvider => ({
    ...provider,
    received: (order, options) => (asked++, isDown ? Promise.reject(new Error('refused')) : provider.received!(order, options))
  })
  const made = world({ now: () => nowMs, expiresInMs: 60_000, journal: await openGateJournal(folder) }, count)
  const { bobs, mallorys, alices, granted } = made
  const [bobsRequest, mallorysRequest] = [await made.gate.ask(bob.identity.publicKey), await made.gate.ask(mallory.identity.publicKey)]
  expect(made.gate.list().map(({ payer, askedMs }) => [payer, askedMs])).toContainEqual([bob.identity.publicKey, nowMs])
  await bobs.pay(bobsRequest, { maxFee })
  nowMs += 60_000 + 16 * 60_000
  // A wallet that is away has said nothing.
  isDown = true
  expect(await made.gate.recover()).toEqual([])
  isDown = false
  expect(made.gate.list().map(({ state }) => state)).toEqual(['asked', 'asked'])
  expect(await codeOf(() => made.gate.open(mallorysRequest.coreHash))).toBe('EXPIRED')
  await made.gate.close()

  const journal = await openGateJournal(folder)
  const again = createGate({ payments: alices, journal, room: ROOM, name: 'tea', purpose: '', price, grant: async ({ payer }) => payer, now: () => nowMs })
  asked = 0
  expect(await again.recover()).toMatchObject([{ payer: bob.identity.publicKey }])
  expect(await again.recover()).toEqual([])
  expect(asked).toBe(1)
  expect(new Set(again.list().map(({ state }) => state))).toEqual(new Set(['granted', 'over']))
  expect(granted).toEqual([])
  // By the payer's clock there was time yet, and a wallet tells of it however late.
  nowMs -= 20 * 60_000
  await mallorys.pay(mallorysRequest, { maxFee })
  nowMs += 30 * 60_000
  expect(await again.recover()).toEqual([])
  expect((await again.open(mallorysRequest.coreHash)).grant).toEqual(mallory.identity.publicKey)
  await again.close()
})

test('what wallet or chain cannot say for a week after it is over, too', async () => {
  let nowMs = Date.now()
  const { gate } = world({ now: () => nowMs, expiresInMs: 60_000 }, (provider) => ({ ...provider, received: () => Promise.reject(new Error('gone')) }))
  const { coreHash } = await gate.ask(bob.identity.publicKey)
  for (const [days, state] of [[1, 'asked'], [5, 'asked'], [2, 'over']] as const) {
    nowMs += days * 24 * 3_600_000
    expect(await gate.recover()).toEqual([])
    expect(gate.list()).toMatchObject([{ state }])
  }
  expect(await codeOf(() => gate.open(coreHash))).toBe('PROVIDER_UNAVAILABLE')
})

test('what was granted is given though the certificate of its request has ended', async () => {
  let nowMs = Date.now()
  const { gate, bobs } = world({ now: () => nowMs })
  const request = await gate.ask(bob.identity.publicKey)
  await bobs.pay(request, { maxFee })
  const opened = await gate.open(request.coreHash)
  nowMs += 20 * 365 * 24 * 3_600_000
  expect(await gate.open(request.coreHash)).toEqual(opened)
})

test('what is not written is not given', async () => {
  const memory = createMemoryGateJournal()
  let isFull = false
  const journal: GateJournal = { ...memory, put: (key, entry) => (isFull ? Promise.reject(new Error('the disk is full')) : memory.put(key, entry)) }
  const { gate, bobs, granted } = world({ journal })
  const request = await gate.ask(bob.identity.publicKey)
  await bobs.pay(request, { maxFee })
  isFull = true
  expect(await codeOf(() => gate.open(request.coreHash))).toContain('the disk is full')
  expect(await codeOf(() => gate.ask(mallory.identity.publicKey))).toContain('the disk is full')
  expect(granted).toEqual([])
  isFull = false
  expect((await gate.open(request.coreHash)).grant).toEqual(Uint8Array.of(1))
})

test('a grant that cannot be written is told to nobody', async () => {
  const memory = createMemoryGateJournal()
  let isFull = false
  const journal: GateJournal = { ...memory, put: (key, entry) => (isFull ? Promise.reject(new Error('the disk is full')) : memory.put(key, entry)) }
  let grants = 0
  const grant = async (): Promise<Uint8Array> => {
    isFull = ++grants === 1
    return Uint8Array.of(grants)
  }
  const { gate, bobs } = world({ journal, grant })
  const request = await gate.ask(bob.identity.publicKey)
  await bobs.pay(request, { maxFee })
  expect(await codeOf(() => gate.open(request.coreHash))).toContain('the disk is full')
  isFull = false
  for (let i = 0; i < 2; i++) expect((await gate.open(request.coreHash)).grant).toEqual(Uint8Array.of(2))
  expect(grants).toBe(2)
})

test('wrong arguments, and a gate that was closed', async () => {
  const { gate, alices } = world()
  const init: GateInit = { payments: alices, journal: createMemoryGateJournal(), room: ROOM, name: 'tea', purpose: '', price, grant: async () => new Uint8Array() }
  for (const wrong of [{ price: { ...price, amount: -1n } }, { price: { ...price, amount: 1.5 } }, { room: new Uint8Array(31) }, { name: '' }, { grant: 'x' }, { expiresInMs: 0 }]) {
    expect(() => createGate({ ...init, ...wrong } as GateInit), JSON.stringify(Object.keys(wrong))).toThrow(TypeError)
  }
  expect(await codeOf(() => gate.ask(new Uint8Array(3)))).toBe('TypeError')
  expect(await codeOf(() => gate.open(new Uint8Array(32)))).toBe('GATE_UNKNOWN_REQUEST')
  const signal = AbortSignal.abort(new Error('stop'))
  await expect(gate.ask(bob.identity.publicKey, { signal })).rejects.toBe(signal.reason)
  await gate.close()
  expect(await codeOf(() => gate.open(new Uint8Array(32)))).toBe('PAYMENTS_CLOSED')
})

test('an entry that is damaged is not skipped', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'covey-gate-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const { gate, bobs } = world({ journal: await openGateJournal(folder) })
  const request = await gate.ask(bob.identity.publicKey)
  await bobs.pay(request, { maxFee })
  await gate.open(request.coreHash)
  await gate.close()
  const again = await openGateJournal(folder)
  expect(again.list()).toMatchObject([{ state: 'granted', grant: Uint8Array.of(1), requestHash: request.coreHash }])
  await again.close()
  const file = join(folder, encodeZ32(request.coreHash))
  const bytes = await readFile(file)
  for (let at = 0; at < bytes.length; at += 31) {
    const flipped = Uint8Array.from(bytes)
    flipped[at]! ^= 1
    await writeFile(file, flipped)
    expect(await codeOf(() => openGateJournal(folder)), `byte ${at}`).toBe('JOURNAL_DAMAGED')
  }
})

test('killed at any moment: who has paid is given something, one thing, and nobody else anything', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'covey-gate-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const asked = new Map<string, PaymentRequest>()
  /** By request: what the gate has told, over all its lives. */
  const told = new Map<string, Set<string>>()
  /** Until so long after so many messages; `null`: until it has opened all. */
  const live = async (end: { messages: number; thenMs: number } | null): Promise<void> => {
    const child = fork(fileURLToPath(new URL('support/gate-until-killed.ts', import.meta.url)), [folder, ...(end === null ? ['last'] : [])], {
      execArgv: ['--import', 'tsx', '-C', '@covey/source'],
      serialization: 'advanced'
    })
    const closed = once(child, 'close')
    const paying: Promise<void>[] = []
    let heard = 0
    let dying: NodeJS.Timeout | undefined
    child.on('message', (message: { asked?: Uint8Array; opened?: string; grant?: string; done?: true }) => {
      if (++heard === end?.messages) dying = setTimeout(() => child.kill('SIGKILL'), end.thenMs)
      if (message.asked !== undefined) {
        const read = readRequest(message.asked, { room: ROOM, atMs: Date.now() })
        if (!read.ok) throw read.error
        const key = encodeZ32(read.value.coreHash)
        // Every other one pays.
        if (!asked.has(key) && asked.size % 2 === 0) paying.push(writeFile(join(folder, `paid-${key}`), ''))
        asked.set(key, read.value)
      }
      if (message.opened !== undefined) told.set(message.opened, (told.get(message.opened) ?? new Set()).add(message.grant!))
      if (message.done) child.kill('SIGKILL')
    })
    await closed
    clearTimeout(dying)
    await Promise.all(paying)
  }
  for (let life = 0; life < 5; life++) await live({ messages: 4 + 5 * life, thenMs: life * 3 })
  await live(null)
  const paid = readdirSync(folder).filter((name) => name.startsWith('paid-')).map((name) => name.slice('paid-'.length))
  expect(paid.length).toBeGreaterThan(3)
  expect(new Set(told.keys())).toEqual(new Set(paid))
  for (const [request, grants] of told) expect([request, grants.size]).toEqual([request, 1])
})
