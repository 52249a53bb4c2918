import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The names of the programs in a folder: every module in it but the harness. */
export function programNames(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && file !== 'harness.ts')
    .map((file) => file.slice(0, -'.ts'.length))
    .sort()
}

/**
 * Runs the program `name` of `folder` to its end. An unknown name is an error that lists those that
 * there are.
 */
export async function runProgram(folder: string, kind: string, name: string | undefined): Promise<void> {
  const names = programNames(folder)
  const known = names.length > 0 ? `There are: ${names.join(', ')}.` : 'There are none yet.'
  if (name === undefined) throw new Error(`Which ${kind}? ${known}`)
  if (!names.includes(name)) throw new Error(`There is no ${kind} '${name}'. ${known}`)
  await import(pathToFileURL(join(folder, `${name}.ts`)).href)
}
