import { expect, test } from 'vitest'
import { hintDevices } from '../src/internal/hint-devices.js'
import { bareView } from './support-apply.js'
import { toHex } from './support.js'

test.each([
  { devices: 10, removed: 3, hinted: 7 },
  { devices: 200, removed: 150, hinted: 50 },
  { devices: 300, removed: 100, hinted: 64 }
])('of $devices devices, of which the first $removed are removed, $hinted are asked for', async ({ devices, removed, hinted }) => {
  const [key, discoveryKey] = [keyOf(1_000), keyOf(1_001)]
  const { view } = (await bareView({ key, discoveryKey }))()
  for (let i = 0; i < devices; i++) {
    await view.put('devices', { writer: keyOf(i), device: keyOf(i), box: keyOf(i), identity: keyOf(i), position: i, removed: i < removed })
  }
  await view.db.flush()
  const hints: { readonly key: Uint8Array; readonly length: number }[] = []
  const base = { closing: null, hintWakeup: (some: typeof hints) => hints.push(...some) }
  await hintDevices({ base, view } as unknown as Parameters<typeof hintDevices>[0])
  expect(hints.map(({ key: writer }) => toHex(writer))).toEqual(Array.from({ length: hinted }, (_, i) => toHex(keyOf(removed + i))))
  expect(hints.every(({ length }) => length === -1)).toBe(true)
})

/** In the order of their numbers. */
function keyOf(i: number): Uint8Array {
  const key = new Uint8Array(32)
  new DataView(key.buffer).setUint32(0, i)
  return key
}
