/** A process that is paid and serves, which the test kills: it tells what it has credited and served. */
import { createMeter, openMeterJournal } from '@covey/payments'

const asset = 'lightning:bcrt/slip44:0'
const customer = new Uint8Array(32).fill(1)
const [folder, life] = process.argv.slice(2) as [string, string]

function tell(message: object): Promise<void> {
  return new Promise((resolve, reject) => process.send!(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error))))
}

const meter = createMeter({ journal: await openMeterJournal(folder), price: { asset, amount: 3n }, per: 7n, window: 5n })
for (let round = 0; ; round++) {
  const id = new Uint8Array(32).fill(Number(life) + 1)
  new DataView(id.buffer).setUint32(0, round)
  await meter.credit(customer, { id, money: { asset, amount: 10n } })
  await tell({ credited: 10n })
  const { id: hold, units } = await meter.hold(customer, 20n)
  // Serving is telling: what was told was served.
  await tell({ served: units })
  await meter.settle(customer, hold, units)
}
