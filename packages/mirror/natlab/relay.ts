/** The relay of the laboratory: it is told of the DHT by a line of JSON, and prints its own line. */
import { networkInterfaces } from 'node:os'
import { createInterface } from 'node:readline'
import { createRelay } from '@covey/mirror'
import { localNetwork } from '@covey/transport'

const PORT = 49_700
/** As fast as it goes. */
const UNLIMITED = { maxBytesPerSecond: 1e12, maxClientBytesPerSecond: 1e12 }
const tell = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`)

const lines = createInterface({ input: process.stdin })
// The laboratory is gone.
lines.on('close', () => process.exit(0))
lines.once('line', (line) => {
  const { bootstrap } = JSON.parse(line) as { bootstrap: string[] }
  void start(bootstrap)
})

async function start(bootstrap: string[]): Promise<void> {
  const host = Object.values(networkInterfaces()).flat().find((at) => at!.family === 'IPv4' && !at!.internal)!.address
  const network = localNetwork(bootstrap)
  const relay = await createRelay({ network, host, port: PORT, limits: UNLIMITED })
  await relay.announced()
  tell({ ev: 'ready', line: relay.line, host })
  setInterval(() => tell({ ev: 'stats', ...relay.stats(), cpu: process.cpuUsage(), rss: process.memoryUsage().rss }), 1_000)
}
