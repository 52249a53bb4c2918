/** How long a handler may take, unless told otherwise. */
export const DEFAULT_HANDLER_TIMEOUT_MS = 30_000

/** The longest text that is read as a command, in UTF-16 code units: what a person types, and a paragraph beside it. */
export const MAX_COMMAND_LENGTH = 4_096

/** The most bytes of a session, as JSON in UTF-8. */
export const MAX_SESSION_BYTES = 16_384

/** How many sessions are kept; beyond, the one that was not used for longest is forgotten. */
export const MAX_SESSIONS = 10_000

/** How many messages of a person wait at most where they are over their rate; what comes on top is passed over. */
export const MAX_WAITING_PER_PERSON = 64

/** How often a message is begun before it is passed over: handling it may be what ends the process. */
export const MAX_ATTEMPTS = 3
