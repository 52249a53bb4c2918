import { jsonCodec, type Collection, type CollectionEntry, type Role, type Room } from 'covey'

/** What a vault keeps of one account. */
export interface Login {
  readonly site: string
  readonly user: string
  readonly password: string
}

/** Comes from whoever may write to the vault, whose program may be another. */
function parseLogin(value: unknown): Login {
  const { site, user, password } = value as Partial<Record<keyof Login, unknown>>
  if (typeof site !== 'string' || typeof user !== 'string' || typeof password !== 'string') throw new TypeError('a login has a site, a user and a password')
  return { site, user, password }
}

const codec = jsonCodec(parseLogin)

/** The logins of a room. */
export class Vault {
  readonly #logins: Collection<Login>

  constructor(readonly room: Room) {
    this.#logins = room.collection('example.org/vault', { codec, write: 'member' })
  }

  /** Says who may write, before anybody does: whoever comes as a reader can look things up. */
  async create(write: Role = 'member'): Promise<void> {
    await this.#logins.setWrite(write)
  }

  /** Keeps a login, in place of one of the same site and user. */
  async keep(login: Login): Promise<void> {
    const before = (await this.find(login.site)).find(({ value }) => value.user === login.user)
    // Not by the name of the site, which somebody who was in the vault once could guess, and see that it is written.
    await this.#logins.put(before?.key ?? randomKey(), login)
  }

  /** All of them, by site and user. */
  async list(): Promise<CollectionEntry<Login>[]> {
    const logins: CollectionEntry<Login>[] = []
    for await (const entry of this.#logins.range()) logins.push(entry)
    return logins.toSorted((one, other) => nameOf(one.value).localeCompare(nameOf(other.value)))
  }

  /** Those of a site. */
  async find(site: string): Promise<CollectionEntry<Login>[]> {
    return (await this.list()).filter(({ value }) => value.site === site)
  }

  /** Forgets all of a site, and tells how many there were. */
  async forget(site: string): Promise<number> {
    const logins = await this.find(site)
    for (const { key } of logins) await this.#logins.del(key)
    return logins.length
  }

}

function nameOf({ site, user }: Login): string {
  return `${site} ${user}`
}

const KEY_BYTES = 16

function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(KEY_BYTES))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** None that is taken for another when it is read aloud. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'
/** 20 of 56 letters: 116 bits. */
const PASSWORD_LETTERS = 20

/** A password that nobody has thought of. */
export function makePassword(): string {
  let password = ''
  while (password.length < PASSWORD_LETTERS) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1))
    // Those beyond would make the first letters likelier.
    if (byte! < 256 - (256 % LETTERS.length)) password += LETTERS[byte! % LETTERS.length]
  }
  return password
}
