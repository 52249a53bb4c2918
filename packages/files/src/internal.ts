/**
 * What the other Covey packages need of files and an app does not. It follows the versions of the
 * stack and may change in any release.
 *
 * @packageDocumentation
 */
export { fileCoresOf, type FileCores, type OfferedFile } from './internal/file-cores.js'
