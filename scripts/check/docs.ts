import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type ts from 'typescript'
import { publicPackages, ROOT, sourceFiles } from '../workspace.js'
import { bareExamples, blocksOfDocstrings, blocksOfMarkdown, type CodeBlock } from './code-blocks.js'
import { compile, formatDiagnostic, readTsconfig } from './compile.js'
import { checkLinks } from './links.js'

/**
 * Every TypeScript block of the guides, the READMEs and the docstrings compiles as a program of its
 * own, and no relative link leads nowhere.
 */
export function checkDocs(root = ROOT): string[] {
  const pages = sourceFiles('.', ['.md'], root).filter((file) => !file.startsWith('.changeset/') && !file.endsWith('CHANGELOG.md'))
  const sources = sourceFiles('packages', ['.ts'], root).filter((file) => /^packages\/[^/]+\/src\//.test(file))
  const bare = sources.flatMap((file) =>
    bareExamples(file, readFileSync(join(root, file), 'utf8')).map((line) => `${file}:${line}: @example has no \`\`\`ts block`)
  )
  const blocks = [
    ...pages.flatMap((file) => blocksOfMarkdown(file, readFileSync(join(root, file), 'utf8'))),
    ...sources.flatMap((file) => blocksOfDocstrings(file, readFileSync(join(root, file), 'utf8')))
  ]
  return [...bare, ...checkBlocks(blocks, root), ...checkLinks(pages, root)]
}

function checkBlocks(blocks: readonly CodeBlock[], root: string): string[] {
  const problems: string[] = []
  const virtual = new Map<string, string>()
  const places = new Map<string, CodeBlock>()
  for (const block of blocks) {
    const unchecked = /^no-check\b[\s:—–-]*(.*)$/.exec(block.mark)
    if (unchecked !== null) {
      if (unchecked[1] === '') problems.push(`${block.file}:${block.line - 1}: no-check needs a reason behind it`)
      continue
    }
    // Beside the file, so that a package's examples see what its own code sees.
    const path = join(root, `${block.file}.${block.line}.example.ts`)
    // Without an import or an export a file is a script: no await at its top, names shared with all others.
    virtual.set(path, `${block.code}\nexport {}\n`)
    places.set(path, block)
  }
  const options = exampleOptions(root)
  for (const diagnostic of compile({ files: [...virtual.keys()], options, virtual })) {
    if (diagnostic.file !== undefined && !places.has(diagnostic.file.fileName)) continue
    problems.push(
      formatDiagnostic(diagnostic, (file, line, column) => {
        const block = places.get(file)
        if (block === undefined) return file
        return `${block.file}:${block.line + line - 1}:${block.indent + column}`
      })
    )
  }
  return problems
}

/** What an app would compile with: strict, but without the rules that are only a matter of our own taste. */
function exampleOptions(root: string): ts.CompilerOptions {
  const { options } = readTsconfig(join(root, 'tsconfig.base.json'))
  const paths: Record<string, string[]> = {}
  for (const { folder, manifest } of publicPackages(root)) {
    for (const [path, target] of Object.entries(manifest.exports ?? {})) {
      if (typeof target !== 'object' || target === null || !('@covey/source' in target)) continue
      paths[manifest.name + path.slice('.'.length)] = [join(folder, String(target['@covey/source']))]
    }
  }
  return {
    ...options,
    paths,
    noPropertyAccessFromIndexSignature: false,
    noImplicitOverride: false,
    isolatedModules: false,
    verbatimModuleSyntax: false
  }
}
