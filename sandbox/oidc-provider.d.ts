// The few types of oidc-provider that the Cognito stand-in uses; the package ships none.
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  export interface OidcContext {
    readonly path: string
    status: number
    body: unknown
    set(name: string, value: string): void
    remove(name: string): void
    readonly oidc: { readonly params?: Readonly<Record<string, unknown>> }
  }

  export class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>)
    use(middleware: (context: OidcContext, next: () => Promise<void>) => Promise<void>): this
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>
  }

  export const errors: {
    readonly InvalidScope: new (description: string, scope: string) => Error
    readonly InvalidTarget: new (description: string) => Error
  }

  export default Provider
}
