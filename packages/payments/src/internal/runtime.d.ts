// package.json maps this name to bare-fs on Bare, and to Node's module elsewhere (without `node:`,
// which Node 20 refuses in such a map). TypeScript does not follow a map to a built-in module.
declare module '#fs' {
  export * from 'node:fs/promises'
}

declare module 'fs-native-extensions' {
  interface FileLocks {
    /** Locks the open file against every other opener, for as long as it is open. `false` when another has it. */
    tryLock(fd: number): boolean
  }
  const locks: FileLocks
  export default locks
}
