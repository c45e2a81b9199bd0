// Describes a known caller and its rights, which can only narrow the settings.

/** A known caller. The settings apply to every member that is undefined. */
export type Caller = {
  /** Where the name comes from; callers from different places may have the same name. */
  readonly kind: 'key' | 'client' | 'subject'
  /** For the log. */
  readonly name: string
  /** For metrics: the name, or one shared word for callers whose names are not known in advance. */
  readonly label: string
  /** Hasura roles that the caller may choose. */
  readonly roles?: ReadonlySet<string>
  /** The Hasura role for requests that name none. */
  readonly role?: string
  /** Operation kinds that the caller may run. */
  readonly operations?: ReadonlySet<string>
  /** Whether the caller may run its own documents as well as stored operations. */
  readonly adhoc?: boolean
  /** When the caller's token expires, in seconds since 1970; undefined for a key. */
  readonly expiresAtSeconds?: number
  /** Requests per minute. */
  readonly rateLimitPerMinute?: number
}

/** Returns what identifies a caller: kind and name, or the address if the caller is not known. */
export const identityOf = (caller: Caller | undefined, address: string): string =>
  caller ? `${caller.kind} ${caller.name}` : `address ${address}`

/** Returns a caller's limit in requests per minute: the lower of its own limit and that of the settings; 0 means no limit. */
export function rateLimitOf(caller: Caller | undefined, limitOfSettings: number): number {
  const own = caller?.rateLimitPerMinute ?? 0
  if (own === 0 || limitOfSettings === 0) return Math.max(own, limitOfSettings)
  return Math.min(own, limitOfSettings)
}
