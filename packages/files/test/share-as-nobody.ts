// A process of its own, because a process has one user: it shares a path as somebody who owns nothing.
import { createFiles } from '@covey/files'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import { createNode, localNetwork, openStore, type NetworkAddress } from '@covey/transport'

const NOBODY = 65_534
const [folder, path, bootstrap] = process.argv.slice(2) as [string, string, string]
const identity = await openIdentity({ storage: createMemorySecretStore() })
const node = createNode({ identity, store: await openStore(`${folder}/peer`), network: localNetwork(JSON.parse(bootstrap) as NetworkAddress[]) })
const files = await createFiles({ identity, node, folder: `${folder}/peer/files` })
const isRoot = process.geteuid!() === 0
if (isRoot) process.seteuid!(NOBODY)
const { code, message } = await files.share(path).then(
  () => ({ code: null, message: null }),
  (error: Error & { code?: string }) => error
)
if (isRoot) process.seteuid!(0)
process.stdout.write(JSON.stringify({ code, message, shared: files.list().length }))
await files.close()
await node.close()
await identity.close()
