import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ROOT } from '../../scripts/workspace.js'

/** A small workspace on the disk that lasts for one test: our own files by `copied`, others by path and text. */
export function workspace(files: Record<string, string>, copied: readonly string[] = []): string {
  const root = mkdtempSync(join(tmpdir(), 'covey-tooling-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const path of copied) cpSync(join(ROOT, path), join(root, path), { recursive: true })
  for (const [path, text] of Object.entries({ 'package.json': manifest('fixture'), ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

/** As {@link workspace}, with our installed modules, for what resolves them. */
export function installedWorkspace(files: Record<string, string>, copied: readonly string[] = []): string {
  const root = workspace(files, copied)
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
  return root
}

export function manifest(name: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ name, version: '0.0.0', type: 'module', ...more })
}

/** A manifest of a public package with its source as the one entry. */
export function publicManifest(name: string, more: Record<string, unknown> = {}): string {
  const entry = { '@covey/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' }
  return manifest(name, { exports: { '.': entry }, ...more })
}
