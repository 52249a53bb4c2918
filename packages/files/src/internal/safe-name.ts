import { encodeUtf8 } from '@covey/core'

/** What no name may have anywhere: separators, what Windows refuses, controls, and what turns text around or hides. */
const FORBIDDEN = /[\\/:*?"<>|\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu
/** Devices of Windows, with any ending, and with spaces before it. */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(?=\s*(?:$|\.))/i
/** File systems take 255; the rest is for a number, where the name is taken. */
const MAX_BYTES = 240
/** A longer ending is none. */
const MAX_ENDING_BYTES = 32

/** A name for a file, for every system, made of one that anybody chose: never a path, never hidden, never empty. */
export function safeName(name: string): string {
  const plain = name
    .normalize('NFC')
    .replace(FORBIDDEN, '_')
    .replace(/^[\s.]+|[\s.]+$/g, '')
    // What looks like white space has no place at the ends: Windows cuts it off.
    .replace(RESERVED, (reserved) => `${reserved}_`)
  const [stem, ending] = splitName(plain)
  const cut = cutTo(stem, MAX_BYTES - encodeUtf8(ending).length).replace(/[\s.]+$/, '')
  return `${cut === '' ? 'file' : cut}${ending}`
}

/** The name with a number, for when it is taken. */
export function numberedName(name: string, number: number): string {
  if (number === 1) return name
  const [stem, ending] = splitName(name)
  return `${stem} (${number})${ending}`
}

function splitName(name: string): [stem: string, ending: string] {
  const dot = name.lastIndexOf('.')
  const ending = dot <= 0 ? '' : name.slice(dot)
  return encodeUtf8(ending).length > MAX_ENDING_BYTES ? [name, ''] : [name.slice(0, name.length - ending.length), ending]
}

/** As many whole characters as fit. */
function cutTo(text: string, maxBytes: number): string {
  let bytes = 0
  let cut = ''
  for (const character of text) {
    bytes += encodeUtf8(character).length
    if (bytes > maxBytes) break
    cut += character
  }
  return cut
}
