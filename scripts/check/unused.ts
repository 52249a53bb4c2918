import { join } from 'node:path'
import { runCommand } from '../run-command.js'
import { ROOT } from '../workspace.js'

/** Files, exports and dependencies that nothing uses, and dependencies that are used and not named. */
export async function checkUnused(root = ROOT): Promise<string[]> {
  const { code, output } = await runCommand(join(ROOT, 'node_modules', '.bin', 'knip'), ['--no-progress', '--no-config-hints'], { cwd: root })
  return code === 0 ? [] : output.trim().split('\n')
}
