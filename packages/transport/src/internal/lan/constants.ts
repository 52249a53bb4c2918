/** Where multicast DNS is spoken (RFC 6762, section 3). Packets to it leave the local network never. */
export const GROUP = '224.0.0.251'
export const MDNS_PORT = 5_353

/** Of one device: what has more is on no usual phone or laptop. */
export const MAX_INTERFACES = 8

/** One packet of any usual network, without fragments. */
export const MAX_PACKET_BYTES = 1_472
/** Questions, answers and whatever else in one packet; ours have four. */
export const MAX_RECORDS = 16

/** How long others may keep what they hear. Nothing of Covey keeps it. */
export const TTL_S = 120

/**
 * Introductions in one packet, whether there is as much to say or not: so its size does not tell how many
 * topics a device is in, up to here.
 */
export const ENTRIES = 20
/** Packets that say where a device is, at a time. Who is in more topics tells of some by turns, at random. */
export const MAX_PACKETS = 8

/** The same is not said more often (RFC 6762, section 6), whoever asks. */
export const ANSWER_PAUSE_MS = 1_000
/** Before an answer, so that not everybody speaks at the same moment (the same section). */
export const ANSWER_DELAY_MS = [20, 120] as const

/** A question is asked again after a pause that doubles, from the first to the second of these. */
export const FIRST_QUERY_PAUSE_MS = 1_000
export const MAX_QUERY_PAUSE_MS = 60_000

/** How often it is looked whether there is another topic, or somebody else to look for. */
export const LOOK_MS = 250

/**
 * Packets about Covey that are read in a second: from one address, and from all. Reading one costs
 * a tenth of a millisecond, and with 1,000 topics and contacts a whole one. */
export const PACKETS_PER_SECOND_OF_ONE = 20
export const PACKETS_PER_SECOND = 100
/** Addresses whose packets are counted one by one. */
export const MAX_ADDRESSES = 256

/** Whoever is there answers within a few round trips of a local network. */
export const DIAL_TIMEOUT_MS = 3_000
/** Dials at a time, and begun in a second. A hostile member of a topic can name as many keys as it likes. */
export const MAX_DIALS = 8
/** Of those to one host, so that one that lies leaves room for the others. */
export const MAX_DIALS_OF_ONE = 4
export const DIALS_PER_SECOND = 8
/** Before the same device is dialled at the same address again. */
export const DIAL_PAUSE_MS = 2_000
/** What was dialled, and is remembered for that pause. */
export const MAX_REMEMBERED = 256
