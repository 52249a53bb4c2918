import { assertFunction, assertInteger, assertOptions, assertString, encodeUtf8 } from '@covey/core'
import type { CollectionOptions } from '../collection.js'
import { MAX_COLLECTION_NAME_BYTES } from '../constants.js'
import { assertRole } from '../roles.js'
import type { Room } from '../room.js'
import { createCollection, type CollectionInit } from './collection.js'
import { createCollectionIndex, type CollectionIndex } from './collection-index.js'
import { hash } from './crypto.js'
import { mapKey } from './map-key.js'

export interface RoomCollectionsInit extends Omit<CollectionInit<unknown>, 'name' | 'id' | 'tagOf' | 'index' | 'options'> {
  /** K0: who does not have it cannot tell which collection, and which key, a hash is of. */
  readonly secret: Uint8Array
  /** Calls back when members or devices may be others. */
  readonly onpeople: (callback: () => void) => () => void
}

const MAX_VERSION = 65_535

/** The collections of a room. What is known of their keys is shared by all who ask for one of the same name. */
export function createRoomCollections({ secret, onpeople, ...parts }: RoomCollectionsInit): Pick<Room, 'collection'> {
  const indexes = new Map<string, CollectionIndex>()
  // Whose admission is void may be another.
  onpeople(() => indexes.forEach((index) => index.changed()))

  return {
    collection(name, options) {
      assertCollection(name, options)
      const id = hash('covey/collection/1', secret, encodeUtf8(name))
      const tagOf = (key: string): Uint8Array => hash('covey/collection/key/1', secret, id, encodeUtf8(key))
      const index = indexes.get(mapKey(id)) ?? createCollectionIndex({ id, tagOf, view: parts.view, reader: parts.reader })
      indexes.set(mapKey(id), index)
      return createCollection({ ...parts, name, id, tagOf, index, options })
    }
  }
}

/** @throws {TypeError} that names the field. */
export function assertCollection<Value>(name: string, options: CollectionOptions<Value>): void {
  assertString(name, 'name', { minLength: 1, maxBytes: MAX_COLLECTION_NAME_BYTES })
  assertOptions(options, 'options', ['codec', 'version', 'write'])
  const { codec, version, write } = options
  assertFunction(codec?.encode, 'options.codec.encode')
  assertFunction(codec.decode, 'options.codec.decode')
  if (version !== undefined) assertInteger(version, 'options.version', { min: 1, max: MAX_VERSION })
  if (write !== undefined) assertRole(write, 'options.write')
}
