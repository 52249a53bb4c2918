import { linkPreviewContent } from '../contents/link-preview.js'
import { locationContent } from '../contents/location.js'
import { pollContent } from '../contents/poll.js'
import type { Message } from '../message.js'

/** All that a message says in words. */
export function wordsOf({ text, content }: Pick<Message, 'text' | 'content'>): string {
  const poll = pollContent.read(content)
  const link = linkPreviewContent.read(content)
  const words = [text, poll?.question, ...(poll?.options ?? []), link?.text, link?.title, link?.description, locationContent.read(content)?.name]
  return words.filter((each) => each !== undefined).join(' ')
}
