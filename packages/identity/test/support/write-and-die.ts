// A process of its own, because what is tested is that it may end at any moment.
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

const [mode, storage] = process.argv.slice(2)
const { rename, open } = promises

if (mode === 'die-before-rename') {
  promises.rename = async () => process.kill(process.pid, 'SIGKILL') as unknown as void
} else if (mode === 'trace') {
  promises.rename = (from, to) => {
    console.log('rename')
    return rename(from, to)
  }
  promises.open = async (path, flags, ...rest) => {
    console.log(`open ${flags}`)
    const file = await open(path, flags, ...rest)
    for (const name of ['write', 'sync', 'close'] as const) {
      const original = file[name].bind(file) as (...args: unknown[]) => Promise<unknown>
      Object.assign(file, {
        [name]: (...args: unknown[]) => {
          console.log(name)
          return original(...args)
        }
      })
    }
    return file
  }
}
syncBuiltinESMExports()

const { createFileSecretStore, openIdentity } = await import('@covey/identity')
if (mode === 'trace') {
  await createFileSecretStore(storage!).write('a', new Uint8Array([1]))
} else {
  const openWith = (passphrase: string) => openIdentity({ storage: storage!, passphrase })
  const local = await openWith('old').catch(() => openWith('new'))
  console.log('started')
  do {
    await local.changePassphrase({ passphrase: 'new', passphraseStrength: 'minimum' })
    await local.changePassphrase({ passphrase: 'old', passphraseStrength: 'minimum' })
  } while (mode === 'rewrite')
}
