import { defineConfig, type Options } from 'tsup'

/** The one build every published package shares: ESM with declarations, for Node 20 and Bare. */
export function library(options: Options = {}): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry: ['src/index.ts'],
    format: 'esm',
    target: 'node20',
    platform: 'neutral',
    dts: true,
    clean: true,
    treeshake: true,
    sourcemap: true,
    ...options
  })
}
