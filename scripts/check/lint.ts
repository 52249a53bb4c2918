import { join } from 'node:path'
import { runCommand } from '../run-command.js'
import { ROOT } from '../workspace.js'

export async function checkLint(root = ROOT): Promise<string[]> {
  const bin = join(ROOT, 'node_modules', '.bin')
  const { code, output } = await runCommand(
    join(bin, 'oxlint'),
    ['--deny-warnings', '--report-unused-disable-directives', '--format=unix'],
    // Oxlint looks for its type-aware part beside the linted folder, then on the path.
    { cwd: root, env: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` } }
  )
  return code === 0 ? [] : output.trim().split('\n')
}
