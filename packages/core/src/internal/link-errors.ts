import { CoreError } from '../errors.js'

/**
 * The errors of links. None may repeat any of the link but its kind: the text may be a secret, even
 * where it is no link at all.
 */

/** Characters that the alphabet leaves out because they look like one that it has. */
const LOOKALIKES: Record<string, string> = { '0': '"o"', '2': '"z"', l: '"1" or "i"', v: '"u"' }

const COPY_AGAIN = 'Copy the whole link again, or ask for it once more.'

export function notCovey(): CoreError {
  return new CoreError('LINK_NOT_COVEY', 'This is not a covey link.', {
    hint: 'A covey link starts with "covey:", its kind and a slash, as in "covey:invite/".'
  })
}

export function tooLong(message: string): CoreError {
  return new CoreError('LINK_TOO_LONG', message, { hint: 'Paste the link alone, without other text.' })
}

export function badCharacter(text: string, index: number): CoreError {
  const character = String.fromCodePoint(text.codePointAt(index)!)
  const meant = LOOKALIKES[character.toLowerCase()]
  return new CoreError(
    'LINK_BAD_CHARACTER',
    `Character ${index + 1} of the text, ${JSON.stringify(character)}, is never used in a link.`,
    { hint: meant === undefined ? COPY_AGAIN : `Perhaps it should be ${meant}.` }
  )
}

export function truncated(missing: number, qualifier: 'at least ' | '' = ''): CoreError {
  return new CoreError(
    'LINK_TRUNCATED',
    `The link is cut short: ${qualifier}${characters(missing)} missing at the end.`,
    { hint: COPY_AGAIN }
  )
}

export function extraCharacters(extra: number): CoreError {
  return new CoreError('LINK_EXTRA_CHARACTERS', `The link is followed by ${extra} more ${extra === 1 ? 'character' : 'characters'}.`, {
    hint: 'Paste the link alone, without other text.'
  })
}

export function damaged(): CoreError {
  return new CoreError('LINK_DAMAGED', 'The link is damaged: its checksum does not match.', {
    hint: `A character was changed, lost or added on the way. ${COPY_AGAIN}`
  })
}

export function wrongKind(kind: string, needed: string): CoreError {
  return new CoreError(
    'LINK_WRONG_KIND',
    `This is ${withArticle(kind)} link; ${withArticle(needed)} link is needed here.`,
    { hint: `Use a link that starts with "covey:${needed}/".` }
  )
}

export function tooNew(): CoreError {
  return new CoreError('LINK_TOO_NEW', 'The link was made by a newer version.', {
    hint: 'Update this app, then use the link again.'
  })
}

function characters(count: number): string {
  return count === 1 ? '1 character is' : `${count} characters are`
}

function withArticle(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`
}
