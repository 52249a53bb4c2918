/** What a session speaks; another version is another protocol, and is not answered. */
export const SESSION_PROTOCOL = 'covey/session/1'

/** Each side of a connection says something at least this often, so that silence means something. */
export const KEEP_ALIVE_MS = 1_000

/** After this much silence a connection is doubted: two keep-alives and the jitter of a bad network. */
export const SILENCE_MS = 2_500

/** After this much another path is looked for beside it: one keep-alive is late. */
export const DOUBT_MS = 1_600

/** How long a session waits for a new path. A cut of 30 s is to be survived, and reconnecting takes a while. */
export const OFFLINE_MS = 45_000

/** The same for a peer that has said that it sleeps: a glance at another app, or two. */
export const SLEEP_MS = 120_000

/** What a session keeps for replay: enough for 40 MB/s at a round trip of 100 ms. */
export const WINDOW_BYTES = 4 * 1024 * 1024
/** The same in frames, each of which costs an object. */
export const WINDOW_FRAMES = 16_384

/** What a frame that waits for the reader counts for, besides its bytes. */
export const FRAME_COST = 256

/** The largest frame of the stack: secret-stream writes no more at once (MAX_ATOMIC_WRITE). */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024 - 1

/** An acknowledgement after this many bytes or frames, or this long after the first that has none. */
export const ACK_BYTES = 256 * 1024
export const ACK_FRAMES = 1_024
export const ACK_DELAY_MS = 50

/** How long a new connection may take until it belongs to a session. */
export const GREETING_TIMEOUT_MS = 10_000

/** A path that is not used is closed after this long: what was sent on it last has arrived by then. */
export const LINGER_MS = 3_000

/** Connections to one peer at a time: the one in use, its successor, and two dials from either side. */
export const MAX_LINKS = 6

/** How long the last word of a session may take to leave. */
export const END_TIMEOUT_MS = 1_000

/** Datagrams of one connection that wait to leave: a large frame of video. */
export const MAX_DATAGRAMS_UNDER_WAY = 256

/** How long relays are asked for a device that was found in a topic, and is dialled. */
export const MEET_MS = 30_000

/** How often sessions look at their paths. */
export const TICK_MS = 250

/** How often the network is looked at while a path is doubted… */
export const PROBE_MS = 2_000
/** …and while it is taken to be lost. */
export const PROBE_LOST_MS = 500

/** How long a peer whose session ran out is dialled still, now and then: its network may be back. */
export const MISS_MS = 10 * 60_000

/** A dial that has not succeeded by now gets another beside it: the first may be waiting for a lost packet. */
export const HEDGE_MS = 1_500
/** Dials to one peer at a time. */
export const MAX_DIALS = 2
/** The pause before dialling again doubles, up to this where a session waits for its path… */
export const MAX_PAUSE_MS = 4_000
/** …and up to this where there is none. */
export const MAX_PAUSE_UNMET_MS = 60_000
