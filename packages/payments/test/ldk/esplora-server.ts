import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FakeChain } from './fake-chain.js'

/** Tells a fake chain as an Esplora server does. `answer` may lie about a path. */
export async function serveEsplora(chain: FakeChain, answer: (path: string) => string | undefined = () => undefined) {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      tell(request.url!, Buffer.concat(chunks).toString()).then(
        (body) => response.writeHead(body === undefined ? 404 : 200).end(body),
        (error: Error) => response.writeHead(500).end(error.message)
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }

  async function tell(path: string, body: string): Promise<string | undefined> {
    const lie = answer(path)
    if (lie !== undefined) return lie
    const [, kind, id, what, index] = path.split('/') as [string, string, string, string, string]
    if (path === '/blocks/tip/hash') return (await chain.tip()).hash
    if (path === '/fee-estimates') return JSON.stringify({ 2: 4, 12: 2, 144: 1.01 })
    if (path === '/tx') return chain.broadcast(Buffer.from(body, 'hex')).then(() => 'ok')
    if (kind === 'block') {
      const block = chain.block(id)
      if (what === 'header') return block && Buffer.from(block.header).toString('hex')
      return JSON.stringify({ in_best_chain: block !== undefined, height: block?.height })
    }
    const confirmation = await chain.confirmation(id)
    if (what === 'status') {
      return JSON.stringify({ confirmed: confirmation !== undefined, block_hash: confirmation?.block.hash, block_height: confirmation?.block.height })
    }
    if (what === 'hex') return confirmation && Buffer.from(confirmation.tx).toString('hex')
    if (what === 'merkle-proof') return confirmation && JSON.stringify({ pos: confirmation.position })
    const txid = await chain.spender(id, Number(index))
    return JSON.stringify({ spent: txid !== undefined, txid })
  }
}
