import { mkdir, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { numberedName, safeName } from '../src/internal/safe-name.js'
import { temporaryFolder } from './support.js'

const NASTY = [
  '..', '.', '', '../../etc/passwd', '/etc/passwd', '\\\\server\\share\\x', 'C:\\Windows\\win.ini', 'C:x', 'a/b', 'a\\b', 'a:b', 'x\0.png',
  '\u202Egnp.exe', 'photo\u202Egpj.exe', '\u2066a\u2069', '\u200F', '\uFEFFa', 'CON', 'con.txt', 'PRN', 'aux.', 'NUL.tar.gz', 'COM1', 'lpt9.x', 'COM\u00b9', 'CONIN$', 'CONIN$ ..aux.', 'nul .txt',
  ' a ', 'a.', 'a ', '...', '. .', '.bashrc', '-rf', '~', '~/x', '%2e%2e%2f', 'a\nb', 'a\r\nb', '\u2028', 'é', 'e\u0301', 'x'.repeat(300), `${'x'.repeat(300)}.png`,
  '😀'.repeat(200), `a.${'x'.repeat(300)}`, '\uD800', 'a*b?c"d<e>f|g', '$(reboot)', '`reboot`', '；rm', 'a／b', '\u3000', '\u00a0', '．．', 'a'.repeat(239) + '..'
]
const PARTS = fc.constantFrom(...NASTY, '/', '\\', '..', ':', '.', ' ', 'a', 'b.txt', '\u202E', '\0', '../', '..\\')
const names = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.array(PARTS, { maxLength: 6 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 100 })
)
const RESERVED = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(\.|$)/i

function isSafe(name: string): boolean {
  return (
    name !== '' && !name.startsWith('.') && !/[. \u00a0\u3000]$/.test(name) && !RESERVED.test(name) && name === name.normalize('NFC') &&
    !/[\\/:*?"<>|\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(name) && Buffer.byteLength(numberedName(name, 1_000)) <= 255
  )
}

describe('a name from a peer', () => {
  it('is made safe for any system, and stays as it was made', () => {
    fc.assert(
      fc.property(names, (name) => {
        const safe = safeName(name)
        expect(isSafe(safe), JSON.stringify([name, safe])).toBe(true)
        expect(safeName(safe)).toBe(safe)
      }),
      { numRuns: 20_000 }
    )
  })

  it('writes nothing outside of its folder: 10,000 names', async () => {
    const outside = await realpath(await temporaryFolder())
    const inside = join(outside, 'in', 'side')
    await mkdir(inside, { recursive: true })
    const sample = [...NASTY, ...fc.sample(names, { numRuns: 10_000, seed: 5 })]
    const written = new Set<string>()
    for (const name of sample) {
      const path = `${inside}/${safeName(name)}`
      expect(dirname(join(path))).toBe(inside)
      if (written.has(path)) continue
      await writeFile(path, '')
      written.add(path)
    }
    expect(written.size).toBeGreaterThan(2_000)
    expect(await readdir(outside)).toEqual(['in'])
    expect(await readdir(join(outside, 'in'))).toEqual(['side'])
    expect((await readdir(inside)).length).toBe(written.size)
    await rm(inside, { recursive: true })
  })

  it('keeps what is harmless, and the ending', () => {
    expect(safeName('Ferien (2024) – Zürich.jpeg')).toBe('Ferien (2024) – Zürich.jpeg')
    expect(safeName('../../.ssh/authorized_keys')).toBe('_.._.ssh_authorized_keys')
    expect(safeName('CON.txt')).toBe('CON_.txt')
    expect(safeName(`${'x'.repeat(300)}.png`)).toBe(`${'x'.repeat(236)}.png`)
    expect(numberedName('a.tar.gz', 2)).toBe('a.tar (2).gz')
  })
})
