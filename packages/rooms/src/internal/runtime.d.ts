// What the `imports` of package.json stand for: Node's modules, or Bare's. TypeScript does not follow
// such a map to a built-in module.
declare module '#fs' {
  export * from 'node:fs/promises'
}
