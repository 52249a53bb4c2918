import ts from 'typescript'
import { relative } from 'node:path'
import { ROOT } from '../workspace.js'

/** Parsed files, shared by every program of this process: most programs read the same libraries. */
const parsed = new Map<string, ts.SourceFile | undefined>()

export interface Compilation {
  files: readonly string[]
  options: ts.CompilerOptions
  /** Files that are not on the disk, by absolute path. */
  virtual?: ReadonlyMap<string, string>
}

/** Type-checks without writing anything. */
export function compile({ files, options, virtual = new Map() }: Compilation): readonly ts.Diagnostic[] {
  const host = ts.createCompilerHost(options)
  const onDisk = { ...host }
  host.fileExists = (path) => virtual.has(path) || onDisk.fileExists(path)
  host.readFile = (path) => virtual.get(path) ?? onDisk.readFile(path)
  host.getSourceFile = (path, languageVersion, ...rest) => {
    const text = virtual.get(path)
    if (text !== undefined) return ts.createSourceFile(path, text, languageVersion)
    if (!parsed.has(path)) parsed.set(path, onDisk.getSourceFile(path, languageVersion, ...rest))
    return parsed.get(path)
  }
  const program = ts.createProgram({ rootNames: files, options, host })
  return ts.getPreEmitDiagnostics(program)
}

export function readTsconfig(path: string): ts.ParsedCommandLine {
  const config = ts.getParsedCommandLineOfConfigFile(path, undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
      throw new Error(formatDiagnostic(diagnostic))
    }
  })
  if (config === undefined) throw new Error(`${path} cannot be read.`)
  return config
}

/** One line for the place and the message, more where the message has a chain of reasons. */
export function formatDiagnostic(
  diagnostic: ts.Diagnostic,
  place: (file: string, line: number, column: number) => string = (file, line, column) =>
    `${relative(ROOT, file)}:${line}:${column}`
): string {
  const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')
  if (diagnostic.file === undefined) return message
  const { line, character } = ts.getLineAndCharacterOfPosition(diagnostic.file, diagnostic.start ?? 0)
  return `${place(diagnostic.file.fileName, line + 1, character + 1)}: ${message}`
}
