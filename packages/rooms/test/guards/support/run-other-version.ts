// A process of its own, because modules are loaded once: one of them says that it is another version.
import { register } from 'node:module'

const module = process.argv[2]!
const hooks = `
  export async function load(url, context, next) {
    const loaded = await next(url, context)
    if (!url.split('?')[0].endsWith('/node_modules/${module}/package.json')) return loaded
    return { format: 'json', shortCircuit: true, source: JSON.stringify({ version: '99.0.0' }) }
  }`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)

const { createPeer, localNetwork } = await import('covey')
let failure: string | null = null
try {
  const peer = await createPeer({ network: localNetwork([{ host: '127.0.0.1', port: 1 }]) })
  await peer.close()
} catch (error) {
  failure = (error as { code?: string }).code ?? String(error)
}
console.log(JSON.stringify({ failure, frozen: [], errors: [] }))
process.exit(0)
