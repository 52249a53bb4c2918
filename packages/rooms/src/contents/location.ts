import { defineContent, jsonCodec, type ContentType } from '@covey/core'
import { fieldsOf, numberIn, textIn } from './check.js'

/** A place, as its sender says. */
export interface Location {
  /** Degrees north, -90 to 90. */
  readonly latitude: number
  /** Degrees east, -180 to 180. */
  readonly longitude: number
  /** How far off it may be, in metres; to 100,000. */
  readonly accuracyMeters?: number
  /** At most 256 bytes as UTF-8. */
  readonly name?: string
}

function parse(value: unknown): Location {
  const { latitude, longitude, accuracyMeters, name } = fieldsOf(value)
  return {
    latitude: numberIn(latitude, 'latitude', -90, 90),
    longitude: numberIn(longitude, 'longitude', -180, 180),
    ...(accuracyMeters !== undefined && { accuracyMeters: numberIn(accuracyMeters, 'accuracyMeters', 0, 100_000) }),
    ...(name !== undefined && { name: textIn(name, 'name', 256) })
  }
}

/** Places, to be sent as content. */
export const locationContent: ContentType<Location> = defineContent({ name: 'covey/location', version: 1, codec: jsonCodec(parse) })
