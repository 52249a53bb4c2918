import Corestore from 'corestore'
import Hyperswarm from 'hyperswarm'
import HyperDHT from 'hyperdht'
import { localNetwork } from 'covey'
import { createMirror } from '../../packages/mirror/src/index.js'

/** What a process is that holds something for others: a mirror, or who downloads one core by Hyperswarm and Hypercore alone. */
export interface Holding {
  readonly storage: string
  readonly bootstrap: Parameters<typeof localNetwork>[0]
  /** A core, and how many blocks of it are downloaded. Absent: a mirror. */
  readonly core?: { readonly key: string; readonly length: number }
}

/** What such a process tells when it is asked. */
export interface Figures {
  readonly residentMb: number
  /** In use by JavaScript, after a collection. */
  readonly usedMb: number
  /** Of all that the process has done. */
  readonly cpuMs: number
  readonly cores: number
  readonly openCores: number
}

/** What it tells by itself: that it runs, and where; and that it has downloaded all. */
export type Told = { readonly link: string } | { readonly isWhole: true } | { readonly figures: Figures }

const { storage, bootstrap, core } = JSON.parse(process.argv[2]!) as Holding
const stats = core === undefined ? await holdAsMirror() : await download(core)
process.on('message', () => tell({ figures: figures() }))
process.on('disconnect', () => process.exit(0))

async function holdAsMirror(): Promise<() => { cores: number; openCores: number }> {
  const mirror = await createMirror({ storage, network: localNetwork(bootstrap) })
  tell({ link: mirror.link })
  return () => mirror.stats()
}

async function download({ key, length }: NonNullable<Holding['core']>): Promise<() => { cores: number; openCores: number }> {
  const store = new Corestore(storage)
  const reading = store.get({ key: Buffer.from(key, 'hex') })
  await reading.ready()
  const swarm = new Hyperswarm({ dht: new HyperDHT({ bootstrap: [...bootstrap], host: '127.0.0.1' }) })
  swarm.on('connection', (connection) => {
    connection.on('error', () => undefined)
    store.replicate(connection)
  })
  swarm.join(reading.discoveryKey!, { server: false, client: true })
  tell({ link: '' })
  void reading
    .download({ start: 0, end: length })
    .done()
    .then(() => tell({ isWhole: true }))
  return () => ({ cores: 1, openCores: 1 })
}

function tell(told: Told): void {
  process.send!(told)
}

function figures(): Figures {
  const { user, system } = process.cpuUsage()
  // The second time takes what the first has let go.
  for (let i = 0; i < 2; i++) globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  const { cores, openCores } = stats()
  return { residentMb: rss / 1e6, usedMb: (heapUsed + external) / 1e6, cpuMs: (user + system) / 1e3, cores, openCores }
}
