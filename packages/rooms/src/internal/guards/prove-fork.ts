import type Corestore from 'corestore'
import type { UpgradeProof } from 'hypercore'
import { isEquivocation, signedTree, type Equivocation } from '../equivocation.js'

/** What a core here and what was sent of it prove together, or `undefined` if they prove nothing. */
export async function proveFork(
  store: Corestore,
  writer: Uint8Array,
  remote: UpgradeProof
): Promise<Equivocation | undefined> {
  const core = store.get({ key: writer, active: false })
  try {
    await core.ready()
    const signer = core.manifest?.signers[0]?.publicKey
    const first = signedTree(remote)
    const at = remote.upgrade.length
    if (signer === undefined || first === undefined) return undefined
    // A tree after others were taken back proves alone.
    const proof = { writer, signer, at, first }
    const whole = first.fork > 0 ? proof : { ...proof, second: await ownTree() }
    return isEquivocation(whole) ? whole : undefined

    async function ownTree() {
      return signedTree(await core.proof({ upgrade: { start: 0, length: at } })) ?? null
    }
  } finally {
    await core.close()
  }
}
