// A process of its own, because what is tested is what another process has open.
import { openStore } from '@covey/transport'

await openStore(process.argv[2]!)
console.log('open')
setInterval(() => undefined, 60_000)
