import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureBuilt } from './built-packages.js'
import { mustRun, pnpmCommand } from './run-command.js'
import { publicPackages, type WorkspacePackage } from './workspace.js'

export interface PackedPackage {
  pkg: WorkspacePackage
  /** Absolute path of the tarball that would be published. */
  tarball: string
}

/** Builds what is stale and packs every public package into `folder`, as a release would. */
export async function packPackages(folder: string): Promise<PackedPackage[]> {
  await ensureBuilt()
  const pnpm = pnpmCommand()
  const packed: PackedPackage[] = []
  for (const pkg of publicPackages()) {
    const target = join(folder, pkg.path.replaceAll('/', '-'))
    await rm(target, { recursive: true, force: true })
    await mkdir(target, { recursive: true })
    await mustRun(pnpm.command, [...pnpm.args, 'pack', '--pack-destination', target], { cwd: pkg.folder })
    const [file, ...others] = (await readdir(target)).filter((name) => name.endsWith('.tgz'))
    if (file === undefined || others.length > 0) throw new Error(`pnpm pack of ${pkg.path} did not write one tarball.`)
    packed.push({ pkg, tarball: join(target, file) })
  }
  return packed
}
