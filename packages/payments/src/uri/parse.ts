import { assertString, type Result } from '@covey/core'
import { PaymentError } from '../errors.js'

/** A long invoice, and words beside it. */
const MAX_URI_LENGTH = 6_000

/** What follows the scheme, read by `read`; its failures are the result's. */
export function parse<Value>(text: string, scheme: string, read: (rest: string) => Value): Result<Value, PaymentError> {
  assertString(text, 'text')
  try {
    if (text.length > MAX_URI_LENGTH) throw refuseUri('The URI is too long.')
    const trimmed = text.trim()
    if (trimmed.slice(0, scheme.length + 1).toLowerCase() !== `${scheme}:`) throw refuseUri(`This is no ${scheme}: URI.`)
    return { ok: true, value: read(trimmed.slice(scheme.length + 1)) }
  } catch (error) {
    if (!(error instanceof PaymentError)) throw error
    return { ok: false, error: error.code === 'INVOICE_MALFORMED' ? error : refuseUri(error.message) }
  }
}

/** What stands before and after the one question mark that there may be. */
export function splitQuery(rest: string): [path: string, query: string] {
  const [path = '', query = '', ...more] = rest.split('?')
  if (more.length > 0) throw refuseUri('The URI has two queries.')
  return [path, query]
}

/** The parameters of a query, each with all its values. A `+` is a plus: these are URIs, and not forms. */
export function parametersOf(query: string): Map<string, string[]> {
  const parameters = new Map<string, string[]>()
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    const name = decode(at < 0 ? pair : pair.slice(0, at)).toLowerCase()
    parameters.set(name, [...(parameters.get(name) ?? []), at < 0 ? '' : decode(pair.slice(at + 1))])
  }
  return parameters
}

/** Of two, one reader would take the first and another the last. */
export function exactlyOnce(parameters: ReadonlyMap<string, readonly string[]>, name: string): string | undefined {
  const values = parameters.get(name) ?? []
  if (values.length > 1) throw refuseUri('The URI has a parameter twice.')
  return values[0]
}

export function refuseUri(message: string): PaymentError {
  return new PaymentError('INVOICE_MALFORMED', message)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // By the contract of the function, which throws for what is not encoded rightly.
    throw refuseUri('The URI is not encoded rightly.')
  }
}
