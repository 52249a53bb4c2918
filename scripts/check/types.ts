import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, sourceFiles, workspacePackages } from '../workspace.js'
import { compile, formatDiagnostic, readTsconfig } from './compile.js'

/** Type-checks every project of the workspace, and finds the files that no project would look at. */
export function checkTypes(root = ROOT): string[] {
  const problems = new Set<string>()
  const covered = new Set<string>()
  const configs = [...workspacePackages(root).map(({ folder }) => join(folder, 'tsconfig.json')), join(root, 'tsconfig.json')]
  for (const config of configs.filter(existsSync)) {
    const { fileNames, options, errors } = readTsconfig(config)
    for (const file of fileNames) covered.add(file)
    // A project without a source file yet is not a mistake.
    if (fileNames.length === 0) continue
    for (const diagnostic of [...errors, ...compile({ files: fileNames, options })]) {
      problems.add(formatDiagnostic(diagnostic))
    }
  }
  for (const file of sourceFiles('.', ['.ts', '.mts', '.cts'], root)) {
    if (!covered.has(join(root, file)) && !file.endsWith('.d.ts')) problems.add(`${file}: no tsconfig.json includes it`)
  }
  return [...problems]
}
