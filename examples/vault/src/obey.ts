import { makePassword, type Vault } from './vault.js'

export const USAGE = `list                          what is in the vault
show <site>                   user and password
keep <site> <user> [password] keeps a login; without a password, makes one
forget <site>                 takes it out
invite [reader]               a link for another device, or another person; a reader cannot change anything
members                       who is in
quit`

/** Does what a line says, and gives what there is to show. */
export async function obey(vault: Vault, line: string): Promise<string> {
  const [verb, ...words] = line.trim().split(/\s+/)
  const [site, user, password = makePassword()] = words
  switch (verb) {
    case '':
    case 'help':
      return USAGE
    case 'list':
      return (await vault.list()).map(({ value }) => `${value.site}  ${value.user}`).join('\n') || 'Nothing yet.'
    case 'show':
      if (site === undefined) return USAGE
      return (await vault.find(site)).map(({ value }) => `${value.user}  ${value.password}`).join('\n') || `Nothing of ${site}.`
    case 'keep':
      if (site === undefined || user === undefined || words.length > 3) return USAGE
      await vault.keep({ site, user, password })
      return `Kept ${user} of ${site}.`
    case 'forget':
      if (site === undefined) return USAGE
      return `Forgot ${await vault.forget(site)} of ${site}.`
    case 'invite':
      return vault.room.createInvite({ role: words[0] === 'reader' ? 'reader' : 'member', uses: 1, expiresInMs: 86_400_000 })
    case 'members':
      return (await vault.room.members()).map(({ name, role }) => `${name} (${role})`).join('\n')
    default:
      return USAGE
  }
}
