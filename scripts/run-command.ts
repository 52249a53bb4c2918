import { spawn } from 'node:child_process'

export interface CommandResult {
  code: number
  /** Standard output and standard error as they came, interleaved. */
  output: string
  stdout: string
}

export interface CommandOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Also pass the output on while it comes. Default `false`. */
  echo?: boolean
  /** After it the program and what it started are killed. Default: never. */
  timeoutMs?: number
}

/** Runs a program without a shell and without input. A program that cannot be started counts as code 127. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {}
): Promise<CommandResult> {
  return await new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, for a time-out must also end what the program started.
      detached: options.timeoutMs !== undefined
    })
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            output += `${command} was killed after ${options.timeoutMs} ms\n`
            if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
          }, options.timeoutMs)
    let output = ''
    let stdout = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      stdout += text
      if (options.echo === true) process.stdout.write(text)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (options.echo === true) process.stderr.write(text)
    })
    child.on('error', (error) => {
      clearTimeout(timer)
      resolve({ code: 127, output: `${output}${error.message}\n`, stdout })
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (signal !== null) output += `${command} was ended by ${signal}\n`
      resolve({ code: code ?? 1, output, stdout })
    })
  })
}

/** As {@link runCommand}, but a code other than 0 throws an error that carries the output. */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: CommandOptions = {}
): Promise<CommandResult> {
  const result = await runCommand(command, args, options)
  if (result.code !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with code ${result.code}\n${result.output}`)
  }
  return result
}

/**
 * How to start pnpm: the one that runs us where there is one (npx puts it on no global path), else
 * one that npx fetches.
 */
export function pnpmCommand(env: NodeJS.ProcessEnv = process.env): { command: string; args: string[] } {
  const running = env['npm_execpath']
  if (running !== undefined && /pnpm[^/\\]*$/.test(running)) {
    return /\.[cm]?js$/.test(running)
      ? { command: process.execPath, args: [running] }
      : { command: running, args: [] }
  }
  return { command: 'npx', args: ['-y', 'pnpm@12'] }
}
