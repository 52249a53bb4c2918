/**
 * `toLowerCase` without its surprises: it maps the Kelvin sign to `k` and makes two characters of
 * `İ`, so that two different texts would decode alike and positions would shift.
 */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
