// Written by schema/build.mjs.
import type { Definition } from 'hyperdb'
declare const definition: Definition
export default definition
