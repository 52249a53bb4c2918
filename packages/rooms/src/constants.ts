/** The longest text of a message, as UTF-8: what fits into one op beside what goes with it. */
export const MAX_TEXT_BYTES = 61_440

/** How many members a message mentions at most. */
export const MAX_MENTIONS = 100

/** The longest emoji of a reaction, as UTF-8: the longest that Unicode recommends for use takes 35 bytes. */
export const MAX_EMOJI_BYTES = 64

/** The longest time between two messages that slow mode asks for: six hours. */
export const MAX_SLOW_MODE_MS = 6 * 3_600_000

/** How many messages one person writes in slow mode with nobody else's in between. */
export const MAX_IN_A_ROW = 16

/** The longest reason of a report, as UTF-8. */
export const MAX_REASON_BYTES = 1_024

/** The longest value of an entry, as its codec makes it. What is larger belongs in files. */
export const MAX_VALUE_BYTES = 65_536

/** The longest name of a collection, and the longest key of an entry, as UTF-8. */
export const MAX_COLLECTION_NAME_BYTES = 64
export const MAX_ENTRY_KEY_BYTES = 256

/** How many messages {@link Room.search} gives unless told otherwise, and at most. */
export const DEFAULT_SEARCH_LIMIT = 20
export const MAX_SEARCH_LIMIT = 1_000

/** How many messages {@link Room.timeline} shows unless told otherwise: a few screens. */
export const DEFAULT_WINDOW = 50

/** How many it shows at most: all of them are read again when something changes. */
export const MAX_WINDOW = 1_000

/** The longest name of a room or a member, as UTF-8. */
export const MAX_NAME_BYTES = 256

/** The longest line about oneself in a profile, as UTF-8. */
export const MAX_BIO_BYTES = 1_024

/** How many contacts there are at most, and how many people who are blocked: all are held in memory. */
export const MAX_CONTACTS = 10_000

/** How many people are asked for a direct room at a time, and have not accepted. */
export const MAX_WANTED = 256

/** The most members of a room in which it is told how far each has read. */
export const MAX_RECEIPT_MEMBERS = 256
/** How many reports are kept. */
export const MAX_REPORTS = 250

/** How much a profile says at most of where its picture is: a file's offer without a preview. */
export const MAX_AVATAR_OFFER_BYTES = 1_024

/** How many mirrors a room has at most: two of different people are enough. */
export const MAX_ROOM_MIRRORS = 8

/** How long {@link Rooms.join} waits for somebody to let the device in, unless told otherwise. */
export const DEFAULT_JOIN_TIMEOUT_MS = 60_000

/** The longest time that a caller may give: what a timer takes, 24 days. */
export const MAX_TIMEOUT_MS = 2 ** 31 - 1

/** The longest life of an invite: a hundred years. */
export const MAX_INVITE_MS = 100 * 365 * 24 * 3_600_000

/** How many devices one invite lets in at most, also where it was made for any number: then there is another to make. */
export const MAX_INVITE_USES = 10_000

/** How long a link for a device can be used, unless told otherwise. */
export const DEFAULT_LINK_MS = 600_000

/** The longest life of a link for a device: nobody has to keep a secret for longer than they remember it. */
export const MAX_LINK_MS = 86_400_000

/** How long a new device waits for the one that made its link to answer, unless told otherwise. */
export const DEFAULT_LINKING_TIMEOUT_MS = 60_000

/** How many rooms are open at a time: more than a person talks in at once, and what they take is measured in docs/benchmarks/rooms.md. */
export const DEFAULT_OPEN_ROOMS = 32
