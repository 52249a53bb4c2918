import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type ts from 'typescript'
import { ROOT, sourceFiles, workspacePackages } from '../workspace.js'
import { compile, formatDiagnostic, readTsconfig } from './compile.js'

/**
 * Type-checks every project of the workspace, and finds the files that no project would look at.
 * Projects with the same options are checked as one, for most of their files are the same.
 */
export function checkTypes(root = ROOT): string[] {
  const problems = new Set<string>()
  const covered = new Set<string>()
  const groups = new Map<string, { files: Set<string>; options: ts.CompilerOptions }>()
  const folders = [root, ...workspacePackages(root).map(({ folder }) => folder)]
  for (const config of folders.map((folder) => join(folder, 'tsconfig.json')).filter(existsSync)) {
    const { fileNames, options, errors } = readTsconfig(config)
    // A project without a source file yet is not a mistake.
    if (fileNames.length === 0) continue
    for (const error of errors) problems.add(formatDiagnostic(error))
    const key = JSON.stringify({ ...options, configFilePath: undefined })
    const group = groups.get(key) ?? { files: new Set(), options }
    groups.set(key, group)
    for (const file of fileNames) {
      covered.add(file)
      group.files.add(file)
    }
  }
  for (const { files, options } of groups.values()) {
    for (const diagnostic of compile({ files: [...files], options })) problems.add(formatDiagnostic(diagnostic))
  }
  for (const file of sourceFiles('.', ['.ts', '.mts', '.cts'], root)) {
    if (!covered.has(join(root, file)) && !file.endsWith('.d.ts')) problems.add(`${file}: no tsconfig.json includes it`)
  }
  return [...problems]
}
