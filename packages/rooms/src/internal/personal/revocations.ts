import { encodeZ32, equalBytes, isCoveyError } from '@covey/core'
import { decodeCertificate, decodeDeviceRequest, verifyRevocation, type LocalIdentity, type Revocation } from '@covey/identity'
import type { Claimant } from '../claim.js'
import { decodeOp, OpType } from '../op.js'
import type { OpenRoom } from '../open-room.js'
import { decodeStruct, encodeStruct } from '../structs.js'
import type { PersonalState } from './personal-state.js'

const CERTIFICATE = 'certificate/'
export const DEVICE = 'device/'

/** Carries out what a person has revoked: on this device, for the others, and in the rooms. */
export interface Revocations {
  /** Revokes a device; resolves when it is durable, and out of the room that the devices share. */
  revoke(device: Uint8Array): Promise<void>
  /** To be called when the devices' room has changed. */
  changed(): Promise<Heard>
  /** Whether a device is known to be revoked. */
  isRevoked(device: Uint8Array): boolean
  /** A certificate of the new epoch for a device that was confirmed before and has not come yet, unless it is revoked, or who confirmed it. */
  renewed(claimant: Claimant): Uint8Array | undefined
  /** Has a room know of all revocations. */
  tell(opened: OpenRoom): Promise<void>
}

/** What the devices' room has said. */
interface Heard {
  /** That this device itself is revoked. */
  readonly isRevoked: boolean
  /** That others are. */
  readonly isNew: boolean
  /** This device's certificate of a new epoch. */
  readonly isRenewed: boolean
}

interface Known extends Revocation {
  readonly bytes: Uint8Array
}

export function createRevocations(identity: LocalIdentity, personal: OpenRoom, state: PersonalState): Revocations {
  const self = identity.identity.publicKey
  let known: readonly Known[] = []

  /** Those in the devices' room, whoever brought them: the person has signed each. */
  async function read(): Promise<void> {
    const rows = await personal.view.all('authority')
    known = rows.flatMap(({ op }) => {
      const header = decodeOp(op)?.header
      const bytes = header?.type === OpType.revokeDevice && header.payload && decodeStruct('revoke-device', header.payload)?.revocation
      const revocation = bytes ? verifyRevocation(bytes, { identity: self }) : undefined
      return bytes && revocation?.ok ? [{ ...revocation.value, bytes }] : []
    })
  }

  async function write(opened: OpenRoom, { device, bytes }: Known): Promise<void> {
    const payload = encodeStruct('revoke-device', { identity: self, device, revocation: bytes })
    await opened.log.append([{ type: 'revokeDevice', payload }])
  }

  /** A device, and those that it has certified, and so on: the person may have given them certificates of their own since. */
  async function certifiedBy(device: Uint8Array): Promise<Uint8Array[]> {
    const rows = await personal.view.devicesOf(self)
    const found = [device]
    const passed = [identity.device.publicKey, ...known.map((revoked) => revoked.device), device]
    for (const issuer of found) {
      for (const row of rows) {
        if (!row.issuer || !equalBytes(row.issuer, issuer) || passed.some((each) => equalBytes(each, row.device))) continue
        found.push(row.device)
        passed.push(row.device)
      }
    }
    return found
  }

  async function tell(opened: OpenRoom): Promise<void> {
    // A reader of a broadcast room has nobody told there: nothing of theirs is read.
    if (opened.base.closing || !(await opened.mayWrite())) return
    const [member, devices] = await Promise.all([opened.view.member(self), opened.view.devicesOf(self)])
    // What it has certified goes with it, also where it never was itself.
    const isIn = (revoked: Uint8Array): boolean =>
      devices.some(({ device, issuer, removed }) => !removed && (equalBytes(device, revoked) || (issuer && equalBytes(issuer, revoked))))
    const told = member?.minEpoch ?? 0
    // Of those that were never in the room, the newest speaks for all: no older certificate lets anybody in.
    const newest = Math.max(0, ...known.map(({ epoch }) => epoch))
    const untold = known.filter(({ epoch, device }) => (epoch === newest && epoch > told) || isIn(device))
    for (const each of untold) await write(opened, each)
    // A new key at once, and not with the next message.
    if (untold.length > 0) await opened.log.append([], { underEpoch: true })
  }

  const isRevoked = (device: Uint8Array): boolean => known.some((revoked) => equalBytes(revoked.device, device))

  /** Of a device that has said what it is, as the person. */
  function certify(device: Uint8Array): Uint8Array | undefined {
    const request = state.get(DEVICE + encodeZ32(device))
    const asked = request && decodeDeviceRequest(request)
    return identity.hasPhrase && asked?.ok && equalBytes(asked.value.device, device) ? identity.certifyDevice(request!) : undefined
  }

  /** Gives the devices that remain certificates of the new epoch, which rooms to come will want to see. */
  async function renewOthers(): Promise<void> {
    for (const { device, removed } of await personal.view.devicesOf(self)) {
      const name = CERTIFICATE + encodeZ32(device)
      const given = decodeCertificate(state.get(name) ?? new Uint8Array())
      const isNew = given.ok && given.value.epoch >= identity.epoch
      if (removed || isNew || equalBytes(device, identity.device.publicKey)) continue
      const certificate = certify(device)
      if (certificate !== undefined) await state.set(name, certificate)
    }
  }

  async function renewOwn(): Promise<boolean> {
    const certificate = state.get(CERTIFICATE + identity.device.id)
    const given = certificate && decodeCertificate(certificate)
    const own = decodeCertificate(identity.device.certificate)
    if (!given?.ok || !own.ok || given.value.epoch <= own.value.epoch || given.value.epoch < identity.epoch) return false
    await identity.acceptCertificate(certificate!)
    return true
  }

  async function accept(): Promise<boolean> {
    for (const { epoch, bytes, device } of known) {
      const isOwn = equalBytes(device, identity.device.publicKey)
      if (epoch <= identity.epoch && !isOwn) continue
      try {
        await identity.acceptRevocation(bytes)
      } catch (error) {
        if (isCoveyError(error, 'IDENTITY_DEVICE_REVOKED')) return false
        throw error
      }
    }
    return true
  }

  return {
    tell,
    isRevoked,
    renewed: ({ device, issuer }) => (isRevoked(device) || (issuer && isRevoked(issuer)) ? undefined : certify(device)),
    async revoke(device) {
      // Itself last: where this is cut off, there is something left to be unlinked again.
      for (const each of (await certifiedBy(device)).toReversed()) {
        const bytes = await identity.revokeDevice(each)
        const revocation = verifyRevocation(bytes, { identity: self })
        if (!revocation.ok) throw revocation.error
        await write(personal, { ...revocation.value, bytes })
        await state.set(DEVICE + encodeZ32(each), null)
      }
      await personal.log.append([], { underEpoch: true })
      await read()
      await renewOthers()
    },
    async changed() {
      const before = known.length
      await read()
      const isNew = known.length > before
      if (!(await accept())) return { isRevoked: true, isNew, isRenewed: false }
      if (known.length > 0) await renewOthers()
      return { isRevoked: false, isNew, isRenewed: await renewOwn() }
    }
  }
}
