// Written by schema/build.mjs.
export function encode(name: string, value: object): Uint8Array
export function decode(name: string, bytes: Uint8Array): unknown
