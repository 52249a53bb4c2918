import type Corestore from 'corestore'
import type Hypercore from 'hypercore'

/** What Autobase has of a view: it writes in `batch`, reads in `session`, and can have both go over to another core. */
export interface Movable {
  readonly session: Hypercore<unknown>
  /** As with other indexers. */
  moveTo(other: Movable): Promise<void>
  readonly batch: Hypercore<unknown>
}

interface UpstreamBatch {
  readonly state: { moveTo(core: Hypercore<unknown>, length: number): Promise<void> }
}

export async function openMovable(store: Corestore, name: string): Promise<Movable> {
  const core = store.get({ name }) as Hypercore<unknown>
  await core.ready()
  const batch = core.session({ name: 'batch', writable: true }) as Hypercore<unknown>
  await batch.ready()
  const session = batch.session({ writable: true }) as Hypercore<unknown>
  await session.ready()
  const { state } = batch as unknown as UpstreamBatch
  return { session, batch, moveTo: (other) => state.moveTo(other.batch, other.batch.length) }
}
