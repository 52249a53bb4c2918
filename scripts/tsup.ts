import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig, type Options } from 'tsup'

interface Manifest {
  exports: Record<string, string | { '@covey/source'?: string }>
}

/**
 * The one build every published package shares: ESM with declarations, for Node 20 and Bare. The
 * entries are the `@covey/source` files of the package's `exports`, so that a new entry point is
 * declared once.
 */
export function library(options: Options = {}): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry: entryPoints(process.cwd()),
    // `#fs` and the like are resolved by the package's `imports` map where the code runs.
    external: [/^#/],
    format: 'esm',
    // With the minor version: 20.10 brought the import attributes that JSON modules need.
    target: 'node20.19',
    platform: 'neutral',
    dts: true,
    clean: true,
    // Not tsup's `treeshake`: it prints them as `assert`, which Node 22 does not take. esbuild shakes anyway.
    sourcemap: true,
    ...options
  })
}

function entryPoints(packageFolder: string): Record<string, string> {
  const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as Manifest
  const entries: Record<string, string> = {}
  for (const [path, target] of Object.entries(manifest.exports)) {
    if (typeof target === 'string' || target['@covey/source'] === undefined) continue
    entries[path === '.' ? 'index' : path.slice('./'.length)] = target['@covey/source']
  }
  return entries
}
