import { lowerAscii } from './lower-ascii.js'

/** What people and mail clients put around a link. */
const WRAPPING = /[\s<>"'`“”„‘’‚«»‹›]/
/** What line wrapping and copying from web pages put into it: spaces and characters without a width. */
const INVISIBLE = /[\s\u00ad\u200b-\u200f\u2060]/

/** The link without what may harmlessly surround or interrupt it, and where each character stood. */
export function cleanLinkText(text: string): { link: string; positions: number[] } {
  let start = 0
  let end = text.length
  while (start < end && isWrapping(text[start]!)) start++
  while (end > start && isWrapping(text[end - 1]!)) end--

  let link = ''
  const positions: number[] = []
  for (let index = start; index < end; index++) {
    if (INVISIBLE.test(text[index]!)) continue
    link += text[index]
    positions.push(index)
  }
  return { link: lowerAscii(link), positions }
}

function isWrapping(character: string): boolean {
  return WRAPPING.test(character) || INVISIBLE.test(character)
}
