/** What a channel speaks; its name and version follow. No protocol of the stack begins with it. */
export const CHANNEL_PROTOCOL = 'covey/channel/1:'

export const DEFAULT_MAX_MESSAGE_BYTES = 64 * 1024
/** Larger things are files. A message is held whole, on both sides, for each peer. */
export const MAX_MESSAGE_BYTES = 1024 * 1024

/** What a message costs besides its bytes, so that empty ones are bounded too: 16,384 in a window. */
export const MESSAGE_COST = 64

/** What a peer may send ahead of the reader: 10 MB/s at a round trip of 100 ms. */
const WINDOW_BYTES = 1024 * 1024

/** Twice the largest message fits, so that one can always be sent while credit for the other is on its way. */
export function windowOf(maxMessageBytes: number): number {
  return Math.max(WINDOW_BYTES, 2 * (maxMessageBytes + MESSAGE_COST))
}

/** No peer is given credit while more than this waits for the reader of one channel. */
export const MAX_INBOX_COST = 32 * 1024 * 1024

/** More than any honest peer ever gives: its window is at most that of the largest messages. */
export const MAX_CREDIT = 16 * 1024 * 1024

/** A chat, a cursor, a game need tens; beyond this, decoding starts to be felt on a phone. */
export const DEFAULT_MAX_MESSAGES_PER_SECOND = 4_000
export const DEFAULT_MAX_BYTES_PER_SECOND = 32 * 1024 * 1024

/** How often a channel may be opened with one peer in one session, before somebody is taken to be at play. */
export const MAX_OPENINGS = 1_024

/** Messages below this are put together into one frame, up to {@link BATCH_BYTES}. */
export const SMALL_MESSAGE_BYTES = 4 * 1024
export const BATCH_BYTES = 32 * 1024
/** A loop that awaits each send needs about three from one to the next. */
export const IDLE_MICROTASKS = 6

/**
 * With all that is wrapped around it, an IPv6 packet of 1,280 bytes at most, which every path carries:
 * 48 of IP and UDP, 20 of UDX, 24 of encryption, 13 of our own.
 */
export const MAX_DATAGRAM_BYTES = 1_150

/** Datagrams of one peer that wait for the reader: a second of video. */
export const MAX_UNREAD_DATAGRAMS = 256

/** How far back a datagram may come late. Of DTLS's 64, a burst of video makes nothing. */
export const REPLAY_WINDOW = 1_024
