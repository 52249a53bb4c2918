import { join } from 'node:path'
import { Application, Converter, LogLevel, Logger, ReflectionKind, type Context, type DeclarationReflection } from 'typedoc'
import { publicPackages, ROOT } from '../workspace.js'

/** Builds the API reference into docs/api. An export without documentation is a problem, and so is a link to nothing. */
export async function checkApi(root = ROOT, out = join(root, 'docs', 'api')): Promise<string[]> {
  const entries = new Map<string, string>()
  for (const { folder, manifest } of publicPackages(root)) {
    for (const [path, target] of Object.entries(manifest.exports ?? {})) {
      if (path === './internal' || typeof target !== 'object' || target === null || !('@covey/source' in target)) continue
      entries.set(join(folder, String(target['@covey/source'])), manifest.name + path.slice('.'.length))
    }
  }
  const app = await Application.bootstrap({
    name: 'Covey',
    entryPoints: [...entries.keys()],
    entryPointStrategy: 'resolve',
    alwaysCreateEntryPointModule: true,
    tsconfig: join(root, 'tsconfig.api.json'),
    basePath: root,
    readme: 'none',
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    externalPattern: ['**/node_modules/**'],
    disableSources: true,
    githubPages: false,
    gitRevision: 'main',
    validation: { notExported: true, invalidLink: true, invalidPath: true, notDocumented: true, unusedMergeModuleWith: true },
    requiredToBeDocumented: [
      'Enum', 'EnumMember', 'Variable', 'Function', 'Class', 'Interface', 'Property', 'Method', 'Accessor', 'TypeAlias'
    ]
  })
  const log = new ProblemLog()
  app.logger = log
  // Named as one imports them, and not after their files.
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_context: Context, reflection: DeclarationReflection) => {
    if (!reflection.kindOf(ReflectionKind.Module)) return
    const file = reflection.sources?.[0]?.fullFileName
    const name = entries.get(file ?? '') ?? entries.get(join(root, reflection.name, 'index.ts'))
    if (name !== undefined) reflection.name = name
  })
  const project = await app.convert()
  if (project === undefined) return log.problems.length > 0 ? log.problems : ['typedoc could not read the packages']
  app.validate(project)
  if (log.problems.length === 0) await app.generateDocs(project, out)
  return log.problems
}

class ProblemLog extends Logger {
  readonly problems: string[] = []

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn) this.problems.push(message)
  }
}
