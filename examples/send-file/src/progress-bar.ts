import type { FileProgress, SharedFile } from 'covey'
import { formatBytes, formatDuration } from './format.js'

/** What a bar is drawn on: `process.stderr`. */
export interface Screen {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

const CLEAR_LINE = '\r\x1b[2K'
const MAX_BAR = 30

/** Shows how far a file is, on one line of a terminal; on what is none, nothing. */
export function showProgress(file: Pick<SharedFile, 'on'>, screen: Screen): { end(): void } {
  if (screen.isTTY !== true) return { end: () => undefined }
  let isDrawn = false
  const stop = file.on('progress', (progress) => {
    isDrawn = true
    screen.write(CLEAR_LINE + progressLine(progress, screen.columns))
  })
  return {
    end() {
      stop()
      if (isDrawn) screen.write('\n')
    }
  }
}

/** One line for a terminal this wide: the bar has what room the numbers leave. */
export function progressLine({ state, receivedBytes, totalBytes, bytesPerSecond, etaMs, holders }: FileProgress, columns = 80): string {
  const received = formatBytes(receivedBytes)
  const parts = [totalBytes === null || receivedBytes === totalBytes ? received : `${received} of ${formatBytes(totalBytes)}`]
  if (state === 'waiting') parts.push('waiting for somebody who has it')
  if (state === 'receiving') {
    parts.push(`${formatBytes(bytesPerSecond)}/s`)
    if (etaMs !== null) parts.push(`${formatDuration(etaMs)} left`)
    if (holders > 1) parts.push(`from ${holders}`)
  }
  const numbers = parts.join(', ')
  // Writing in the last column would begin another line.
  const room = columns - 1
  if (totalBytes === null) return numbers.slice(0, room)
  const part = totalBytes === 0 ? 1 : receivedBytes / totalBytes
  const percent = `${String(Math.floor(part * 100)).padStart(3)} %`
  const width = Math.min(MAX_BAR, room - percent.length - numbers.length - 4)
  // A bar of a few characters says nothing.
  if (width < 5) return `${percent} ${numbers}`.slice(0, Math.max(0, room))
  const full = Math.floor(part * width)
  return `${percent} [${'#'.repeat(full)}${'-'.repeat(width - full)}] ${numbers}`
}
