const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB']

/** `1.5 MB`: three digits, in steps of a thousand. */
export function formatBytes(bytes: number): string {
  let unit = 0
  // What would be rounded to a thousand is one of the next.
  for (; bytes >= (unit === 0 ? 1_000 : 999.5) && unit < UNITS.length - 1; unit++) bytes /= 1_000
  const digits = unit === 0 || bytes >= 99.95 ? 0 : bytes >= 9.995 ? 1 : 2
  return `${bytes.toFixed(digits)} ${UNITS[unit]}`
}

/** `1:02:03`, or `2:03`. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.ceil(durationMs / 1_000)
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60]
  const two = (part: number): string => String(part).padStart(2, '0')
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}
