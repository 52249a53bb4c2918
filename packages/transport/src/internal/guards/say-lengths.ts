/** lib/replicator.js of hypercore 11.37.1: what is known of one peer and one core. */
export interface SyncingPeer {
  readonly core: { readonly state: { readonly length: number } }
  /** To be sent when what the peer has said is worked off. */
  readonly needsSync: boolean
  sendSync(): void
  _updateCanUpgradeAndSync(): Promise<void>
}

/**
 * Has a peer told of each length of a core.
 *
 * No attack: before a peer is told that a core is longer, hypercore 11.37.1 looks whether the peer can be brought there, and says
 * nothing where the peer has said something meanwhile, or where the answer is what it was (lib/replicator.js:866-878). The peer
 * gives nothing to who is not where it believes them to be (lib/replicator.js:2440), so that who has what is missing, and who misses
 * it, wait for each other for as long as they are connected.
 */
export function sayLengths(peer: SyncingPeer): void {
  const [sync, look] = [peer.sendSync.bind(peer), peer._updateCanUpgradeAndSync.bind(peer)]
  let said: number | undefined
  peer.sendSync = () => {
    sync()
    if (!peer.needsSync) said = peer.core.state.length
  }
  peer._updateCanUpgradeAndSync = async () => {
    await look()
    if (said !== peer.core.state.length) peer.sendSync()
  }
}
