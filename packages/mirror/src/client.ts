/**
 * A device's side of blind mirrors, apart from what runs one.
 *
 * @packageDocumentation
 */
export { createMirrorClient, DEFAULT_MAX_NAMED_MIRRORS, type Holding, type MirrorClient, type MirrorClientEvents, type MirrorClientInit } from './create-mirror-client.js'
export type { RefusalCode } from './internal/holding/channel.js'
export { MirrorError, type MirrorErrorCode } from './errors.js'
