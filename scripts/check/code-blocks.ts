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
  return docstringsOf(file, source).flatMap(({ line, text }) =>
    // Three characters of a line are the star and the spaces around it.
    blocksOfMarkdown(file, text).map((block) => ({ ...block, line: block.line + line - 1, indent: block.indent + 3 }))
  )
}

/** The lines of a source file that have an `@example` without a code block, which nothing would compile. */
export function bareExamples(file: string, source: string): number[] {
  return docstringsOf(file, source).flatMap(({ line, text }) =>
    [...text.matchAll(/^@example\b/gm)].flatMap(({ index }) => {
      const [, ...rest] = text.slice(index).split('\n')
      const end = rest.findIndex((each) => /^@\w/.test(each))
      const example = rest.slice(0, end === -1 ? undefined : end)
      const fenced = example.some((each) => /^[\s>]*(`{3,}|~{3,})/.test(each))
      return fenced ? [] : [line + text.slice(0, index).split('\n').length - 1]
    })
  )
}

interface Docstring {
  /** The line of the file that it begins at, from 1. */
  line: number
  /** Without the stars. */
  text: string
}

function docstringsOf(file: string, source: string): Docstring[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true)
  const found = new Map<number, Docstring>()
  const visit = (node: ts.Node): void => {
    for (const { pos, end } of ts.getLeadingCommentRanges(source, node.pos) ?? []) {
      const comment = source.slice(pos, end)
      if (!comment.startsWith('/**')) continue
      const lines = comment.replace(/\*\/$/, '').split('\n')
      const text = lines.map((line) => line.replace(/^\s*(\/\*\*|\*) ?/, '')).join('\n')
      found.set(pos, { line: tree.getLineAndCharacterOfPosition(pos).line + 1, text })
    }
    node.getChildren(tree).forEach(visit)
  }
  visit(tree)
  return [...found.values()]
}
