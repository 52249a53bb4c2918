import ts from 'typescript'

export interface CodeBlock {
  /** The file it stands in, from the root. */
  file: string
  /** The line of the file that the first line of the code is, from 1. */
  line: number
  /** How far the code is indented there. */
  indent: number
  /** What stands behind the language: `no-check: a sketch of the wire format`. */
  mark: string
  code: string
}

const LANGUAGES = new Set(['ts', 'typescript', 'mts'])

/** The TypeScript blocks of a Markdown text, also those in lists and in block quotes. */
export function blocksOfMarkdown(file: string, markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = []
  let open: { fence: string; prefix: number; block: CodeBlock | undefined } | undefined
  for (const [index, text] of markdown.split(/\r?\n/).entries()) {
    if (open === undefined) {
      const match = /^([\s>]*)(`{3,}|~{3,})\s*([\w-]*)\s*(.*)$/.exec(text)
      if (match === null) continue
      const [, prefix = '', fence = '', language = '', mark = ''] = match
      const block = { file, line: index + 2, indent: prefix.length, mark: mark.trim(), code: '' }
      open = { fence, prefix: prefix.length, block: LANGUAGES.has(language) ? block : undefined }
      continue
    }
    const content = text.slice(Math.min(open.prefix, /^[\s>]*/.exec(text)?.[0].length ?? 0))
    if (content.trim().startsWith(open.fence) && /^[`~]+$/.test(content.trim())) {
      if (open.block !== undefined) blocks.push(open.block)
      open = undefined
    } else if (open.block !== undefined) {
      open.block.code += `${content}\n`
    }
  }
  // A block that is never closed runs to the end, as a reader's browser shows it.
  if (open?.block !== undefined) blocks.push(open.block)
  return blocks
}

/** The TypeScript blocks of the docstrings (`/** … *\/`) of a source file. */
export function blocksOfDocstrings(file: string, source: string): CodeBlock[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true)
  const seen = new Set<number>()
  const blocks: CodeBlock[] = []
  const visit = (node: ts.Node): void => {
    for (const range of ts.getLeadingCommentRanges(source, node.pos) ?? []) {
      const comment = source.slice(range.pos, range.end)
      if (!comment.startsWith('/**') || seen.has(range.pos)) continue
      seen.add(range.pos)
      const firstLine = tree.getLineAndCharacterOfPosition(range.pos).line
      const body = comment.replace(/\*\/$/, '').split('\n').map((line) => line.replace(/^\s*(\/\*\*|\*) ?/, ''))
      for (const block of blocksOfMarkdown(file, body.join('\n'))) {
        blocks.push({ ...block, line: block.line + firstLine, indent: block.indent + 3 })
      }
    }
    node.getChildren(tree).forEach(visit)
  }
  visit(tree)
  return blocks
}
