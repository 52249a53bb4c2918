// A process of its own, because what is tested is what another process has open.
import { createPeer, type Network } from 'covey'

const [storage, network] = process.argv.slice(2)
await createPeer({ storage: storage!, name: 'Holder', network: JSON.parse(network!) as Network })
console.log('open')
