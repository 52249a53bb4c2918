import { diskFull } from './full-disk.js'
import { indexersGone } from './indexers.js'
import { mirrorsLie } from './liars.js'
import { authorGone, mirrorKilled, mirrorRolledBack, mirrorWiped } from './mirrors.js'
import { ownerGoneAlone, ownerGoneWithAdmins } from './owner.js'
import { play, type Play } from './play.js'

const SCENES = {
  'author-gone': authorGone,
  'mirror-killed': mirrorKilled,
  'mirror-wiped': mirrorWiped,
  'mirror-rolled-back': mirrorRolledBack,
  'mirror-disk-full': diskFull,
  'mirrors-lie': mirrorsLie,
  'indexers-gone': indexersGone,
  'owner-gone-with-admins': ownerGoneWithAdmins,
  'owner-gone-alone': ownerGoneAlone
} satisfies Record<string, (play: Play) => Promise<void>>

export type SceneName = keyof typeof SCENES
export const SCENE_NAMES = Object.keys(SCENES) as SceneName[]

/** Plays a scene with processes of its own. */
export async function proveScenario(name: SceneName, seed: number): Promise<void> {
  await play(seed, SCENES[name])
}
