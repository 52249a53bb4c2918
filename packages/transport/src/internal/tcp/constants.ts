/** After so much was sent over UDP, TCP is tried: what two people write to each other needs none. */
export const BULK_BYTES = 2 * 1024 * 1024

/** A peer that was offered TCP is not offered it again for so long: between most networks, none gets through. */
export const OFFER_PAUSE_MS = 60_000

/** Where the round trip is longer, TCP is slow to come back from a lost packet. */
export const MAX_RTT_MS = 50

/** How long a ticket is good for. */
export const TICKET_MS = 10_000
export const TICKET_BYTES = 32

/** How long it may take from the connection until both have proven their keys. */
export const HANDSHAKE_TIMEOUT_MS = 5_000

/** Connections that have not shown a ticket, or a key. */
export const MAX_UNPROVEN = 32

/** Below are the services of a machine, which nobody is to have us knock at. */
export const MIN_PORT = 1_024

/** What is on its way between the socket and the stream above it: a few frames of files. */
export const BUFFER_BYTES = 1024 * 1024
