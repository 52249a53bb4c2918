import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { ROOT } from '../workspace.js'

/** Every relative link and every anchor of the given Markdown files leads to something that is in the repository. */
export function checkLinks(pages: readonly string[], root = ROOT): string[] {
  const problems: string[] = []
  const anchors = new Map<string, Set<string>>()
  for (const page of pages) {
    const text = withoutCode(readFileSync(join(root, page), 'utf8'))
    for (const [index, line] of text.split('\n').entries()) {
      for (const link of linksOf(line)) {
        const problem = problemWith(page, link)
        if (problem !== undefined) problems.push(`${page}:${index + 1}: ${link} ${problem}`)
      }
    }
  }
  return problems

  function problemWith(page: string, link: string): string | undefined {
    if (/^([a-z][a-z+.-]*:|\/\/)/i.test(link)) return undefined
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? join(root, page) : join(root, path.startsWith('/') ? '.' : dirname(page), decodeURI(path))
    const name = relative(root, target)
    if (name.startsWith('..')) return 'leaves the repository'
    if (!existsSync(target)) return `leads to ${name}, which does not exist`
    if (anchor === undefined || anchor === '' || !target.endsWith('.md') || !statSync(target).isFile()) return undefined
    if (!anchors.has(target)) anchors.set(target, anchorsOf(readFileSync(target, 'utf8')))
    return anchors.get(target)?.has(anchor.toLowerCase()) === true ? undefined : `finds no heading #${anchor} in ${name}`
  }
}

function linksOf(line: string): string[] {
  const inline = [...line.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+["'][^"']*["'])?\s*\)/g)]
  const definitions = [...line.matchAll(/^\s*\[[^\]]+\]:\s*<?([^\s>]+)/g)]
  const html = [...line.matchAll(/<(?:a|img)\s[^>]*(?:href|src)="([^"]+)"/g)]
  return [...inline, ...definitions, ...html].flatMap(([, link]) => (link === undefined ? [] : [link]))
}

/** The same number of lines, with the code taken out: a link in it is an example of text. */
function withoutCode(markdown: string): string {
  let fence: string | undefined
  return markdown
    .split('\n')
    .map((line) => {
      const mark = /^[\s>]*(`{3,}|~{3,})/.exec(line)?.[1]
      if (fence === undefined && mark !== undefined) fence = mark
      else if (fence !== undefined && mark?.startsWith(fence) === true) fence = undefined
      else if (fence === undefined) return line.replace(/`[^`]*`/g, '')
      return ''
    })
    .join('\n')
}

/** As GitHub makes them: lower case, spaces to hyphens, punctuation dropped, a number behind a repeated one. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>()
  const code = withoutCodeBlocks(markdown)
  for (const [, title = ''] of code.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const plain = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-')
    let anchor = slug
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`
    anchors.add(anchor)
  }
  for (const [, name = ''] of code.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(name.toLowerCase())
  return anchors
}

function withoutCodeBlocks(markdown: string): string {
  return markdown.replace(/^([ \t>]*)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1\2[^\n]*$/gm, '')
}
