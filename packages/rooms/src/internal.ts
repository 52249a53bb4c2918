/**
 * What the other Covey packages need of a room and an app does not. It follows the versions of the
 * stack and may change in any release.
 *
 * @packageDocumentation
 */
export { coresOf, type RoomCores } from './internal/room-cores.js'
