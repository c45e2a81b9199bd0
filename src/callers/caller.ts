// Who calls, and what that caller may do. A caller's rights only ever narrow the settings.

/** A known caller. What is undefined is as the settings say. */
export type Caller = {
  /** Where the name comes from: two callers may have the same one in different places. */
  readonly kind: 'key' | 'client' | 'subject'
  /** For the log. */
  readonly name: string
  /** For metrics: as the name, but one word for all whose names nobody has listed. */
  readonly label: string
  /** Hasura roles that it may ask for. */
  readonly roles?: ReadonlySet<string>
  /** Operation kinds that it may run. */
  readonly operations?: ReadonlySet<string>
  /** Whether it may run documents of its own, beside stored operations. */
  readonly adhoc?: boolean
  /** Requests a minute. */
  readonly rateLimitPerMinute?: number
}

/** The requests a minute that a caller has: the lower of its own limit and that of the settings; 0 is no limit. */
export function rateLimitOf(caller: Caller | undefined, limitOfSettings: number): number {
  const own = caller?.rateLimitPerMinute ?? 0
  if (own === 0 || limitOfSettings === 0) return Math.max(own, limitOfSettings)
  return Math.min(own, limitOfSettings)
}
