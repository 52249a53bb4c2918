/** What a program in the laboratory has said. */
export interface Said {
  readonly ev: string
  /** Milliseconds. */
  readonly t: number
  readonly remote: string | null
  /** Of a peer: its key, in hex. */
  readonly address: string
  /** Of the relay: its address and line. */
  readonly host: string
  readonly line: string
  readonly cpu: { readonly user: number; readonly system: number }
  /** Of a path. */
  readonly path: string
  /** Of a transfer that was checked; null where there was no session. */
  readonly result: { readonly bytes: number; readonly ms: number; readonly isWhole: boolean } | null
  /** Of a transfer. */
  readonly bytes: number
  readonly ms: number
  readonly cpuMs: number
}

export interface Program {
  readonly events: Said[]
  readonly stderr?: string
  readonly mark: number
  send(command: object): void
  wait(test: string | ((said: Said) => boolean), ms: number, from?: number): Promise<Said | null>
  kill(): Promise<void>
}

export interface Site {
  readonly hosts: readonly [object]
}

/** `other` is where it roams to. */
export interface Roaming {
  readonly other: Site
}

export interface Attempt {
  readonly ok: boolean
  readonly ms: number
  readonly fails: readonly string[]
  readonly crash: unknown
  readonly client?: Program
  readonly server?: Program
}

export interface Running {
  readonly net: {
    site(type: string): Site
    rmSite(site: Site): void
    cut(site: Site): void
    uncut(site: Site): void
    /** Forgets all mappings. */
    flush(site: Site): void
    /** Another public address, of which the hosts see nothing. */
    newWanIp(site: Site): void
    /** A network beside the first one, into which `roam` takes the host. */
    prepareRoam(site: Site, type: string): Roaming
    roam(site: Site, roaming: Roaming): void
  }
  readonly relays: object[]
  up(): Promise<void>
  down(): Promise<void>
  peer(script: string, host: object, config: object): Promise<Program>
  kind(remote: string | null): string
}

/** Of its `lib/lab.mjs`, what is used here. */
export interface Laboratory {
  readonly Lab: new (options: object) => Running
  attempt(lab: Running, options: object): Promise<Attempt>
  cleanStale(): void
  median(values: number[]): number
  pool(jobs: (() => Promise<void>)[], lanes: number): Promise<void>
  sleep(ms: number): Promise<void>
}
