import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, sourceFiles } from '../workspace.js'

/** Beyond it a file has more than one reason to change. */
const MAX_LINES = 400

/** No hand-written file of a package is longer than one can keep in mind. */
export function checkSize(root = ROOT): string[] {
  return sourceFiles('packages', ['.ts'], root)
    .filter((file) => /^packages\/[^/]+\/src\//.test(file) && !file.includes('/spec/'))
    .flatMap((file) => {
      const lines = readFileSync(join(root, file), 'utf8').trimEnd().split('\n').length
      return lines > MAX_LINES ? [`${file}: ${lines} lines, at most ${MAX_LINES}`] : []
    })
}
