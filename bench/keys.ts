import { measureApply } from './keys/apply.js'
import { measureBodies } from './keys/body.js'
import { measureRotation } from './keys/rotate.js'
import { createViews } from './keys/view.js'

const views = await createViews()
try {
  for (const devices of [10, 100, 1_000]) await measureRotation(views, devices)
  for (const textBytes of [81, 4_000]) await measureBodies(textBytes)
  await measureApply(views)
} finally {
  await views.close()
}
