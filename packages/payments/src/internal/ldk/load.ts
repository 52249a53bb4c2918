// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="../runtime.d.ts" />
import { readFile } from '#fs'
import { initializeWasmFromBinary } from 'lightningdevkit'

let loading: Promise<void> | undefined

/** There is one LDK a process, whatever number of nodes. It prints a line with its version when it is loaded. */
export async function loadLdk(wasm: Uint8Array | undefined): Promise<void> {
  loading ??= load(wasm)
  try {
    await loading
  } catch (error) {
    loading = undefined
    throw error
  }
}

async function load(wasm: Uint8Array | undefined): Promise<void> {
  await initializeWasmFromBinary(wasm ?? (await readFile(new URL(import.meta.resolve('lightningdevkit/liblightningjs.wasm')))))
}
