// `hyperschema` has types of its own; its runtime, which generated code imports, has none.
declare module 'hyperschema/runtime' {
  import c from 'compact-encoding'
  export { c }
}
