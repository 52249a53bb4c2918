// rache 1.0.0
declare module 'rache' {
  /** A cache that forgets at random what is too much; others may be opened upon it, and share its room. */
  export default class Rache {
    constructor(options?: { maxSize?: number })
    readonly maxSize: number
    /** Of all that share the room. */
    readonly globalSize: number
  }
}
