// Who calls, and what that caller may do. A caller's rights can only narrow the settings.

/** A known caller. The settings apply to whatever is undefined. */
export type Caller = {
  /** Where the name comes from; callers from different places may have the same name. */
  readonly kind: 'key' | 'client' | 'subject'
  /** For the log. */
  readonly name: string
  /** For metrics: the name, or one shared word for callers whose names are not known in advance. */
  readonly label: string
  /** Hasura roles that it may choose. */
  readonly roles?: ReadonlySet<string>
  /** The Hasura role of its requests that name none. */
  readonly role?: string
  /** Operation kinds that it may run. */
  readonly operations?: ReadonlySet<string>
  /** Whether it may run documents of its own in addition to stored operations. */
  readonly adhoc?: boolean
  /** When its token expires, in s since 1970; undefined where it has none. */
  readonly expiresAtSeconds?: number
  /** Requests a minute. */
  readonly rateLimitPerMinute?: number
}

/** What sets a caller apart from all others: its kind and name, or the address where it is not known. */
export const identityOf = (caller: Caller | undefined, address: string): string =>
  caller ? `${caller.kind} ${caller.name}` : `address ${address}`

/** A caller's limit in requests a minute: the lower of its own and the settings' limit; 0 means no limit. */
export function rateLimitOf(caller: Caller | undefined, limitOfSettings: number): number {
  const own = caller?.rateLimitPerMinute ?? 0
  if (own === 0 || limitOfSettings === 0) return Math.max(own, limitOfSettings)
  return Math.min(own, limitOfSettings)
}
