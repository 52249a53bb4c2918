import type HyperDHT from 'hyperdht'

/** A resolver that answers at all does so sooner; and by then the DHT has asked the address that it knows of. */
const LOOKUP_TIMEOUT_MS = 1_500

/**
 * Lets go of names of DHT nodes that are not resolved in time, or at all when the sockets are closed. Where no
 * resolver answers, the system tries for 20 s a name, and whatever waits for the DHT waits with it, closing included.
 */
export function boundLookups({ udx, io }: HyperDHT): void {
  const lookup = udx.lookup.bind(udx)
  udx.lookup = async (host, options) => {
    if (io.suspended) throw new Error('There is no network to resolve names in.')
    let timer: ReturnType<typeof setTimeout>
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('No resolver answered in time.')), LOOKUP_TIMEOUT_MS)
    })
    return Promise.race([lookup(host, options), late]).finally(() => clearTimeout(timer))
  }
}
