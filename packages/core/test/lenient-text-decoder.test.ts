import { expect, it, vi } from 'vitest'
import { fromHex } from './support.js'

// The one of bare-encoding 1.0.3 behaves so. In a file of its own: the decoder is chosen at import.
class LenientTextDecoder extends TextDecoder {
  constructor(label?: string) {
    super(label, { fatal: false, ignoreBOM: true })
  }
}

it('decodeUtf8 is strict where the TextDecoder of the runtime is not', async () => {
  vi.stubGlobal('TextDecoder', LenientTextDecoder)
  const { decodeUtf8, encodeUtf8 } = await import('@covey/core')
  for (const hex of ['ff', 'c080', 'eda080', 'f4908080', 'f09f98', '80']) {
    expect(decodeUtf8(fromHex(hex))).toMatchObject({ ok: false, error: { code: 'DECODE_FAILED' } })
  }
  expect(decodeUtf8(encodeUtf8('\ufeffé\ufffd😀'))).toEqual({ ok: true, value: '\ufeffé\ufffd😀' })
})
