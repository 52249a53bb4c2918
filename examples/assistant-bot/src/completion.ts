/** Where answers come from: any endpoint that speaks OpenAI's chat completions. */
export interface Endpoint {
  /** Such as `https://api.openai.com/v1`; plain http on this machine alone, for the key travels along. */
  readonly url: string
  readonly key: string
  readonly model: string
}

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** What went wrong, in words that a room may read: never the key, and nothing of what the endpoint said. */
export class CompletionError extends Error {
  override readonly name = 'CompletionError'
}

/** The longest answer, in UTF-16 code units: an endpoint that does not end is cut short. */
const MAX_ANSWER_LENGTH = 16_000
/** The longest line of the stream, each of which holds a few words. */
const MAX_LINE_LENGTH = 65_536

/** @throws {CompletionError} for an address to which a key must not go */
export function checkEndpoint({ url }: Endpoint): void {
  const { protocol, hostname } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '' }
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  if (protocol === 'https:' || (protocol === 'http:' && isHere)) return
  throw new CompletionError('The address of the endpoint must begin with https://.')
}

/**
 * Streams an answer, a few words at a time.
 *
 * @throws {CompletionError} when the endpoint does not answer as it should
 * @throws the signal's reason
 */
export async function* complete(endpoint: Endpoint, messages: readonly ChatMessage[], signal: AbortSignal): AsyncGenerator<string, void, undefined> {
  checkEndpoint(endpoint)
  const response = await ask(endpoint, messages, signal)
  let length = 0
  for await (const line of linesOf(response, signal)) {
    if (!line.startsWith('data:')) continue
    const data = line.slice('data:'.length).trim()
    if (data === '[DONE]') return
    const words = wordsOf(data)
    length += words.length
    if (length > MAX_ANSWER_LENGTH) return
    if (words !== '') yield words
  }
}

async function ask({ url, key, model }: Endpoint, messages: readonly ChatMessage[], signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const response = await fetch(`${url.replace(/\/$/, '')}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages, stream: true }),
    // The key is for this endpoint, and not for where it may point.
    redirect: 'error',
    signal
  }).catch(() => {
    signal.throwIfAborted()
    throw new CompletionError('The endpoint cannot be reached.')
  })
  if (response.ok && response.body !== null) return response.body
  await response.body?.cancel()
  throw new CompletionError(`The endpoint refused, with status ${response.status}.`)
}

async function* linesOf(body: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const bytes of body) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split(/\r?\n/)
      rest = lines.pop()!
      if (rest.length > MAX_LINE_LENGTH) throw new CompletionError('The endpoint sent a line without an end.')
      yield* lines
    }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof CompletionError) throw error
    throw new CompletionError('The answer broke off.')
  }
  yield rest
}

/** What one event of the stream adds, if it is as documented; else nothing. */
function wordsOf(data: string): string {
  try {
    const event = JSON.parse(data) as { choices?: { delta?: { content?: unknown } }[] } | null
    const content = event?.choices?.[0]?.delta?.content
    return typeof content === 'string' ? content : ''
  } catch {
    throw new CompletionError('The endpoint sent something that is no JSON.')
  }
}
