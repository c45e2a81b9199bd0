// The one form of every error of Hasura v2 on its GraphQL routes.

/** An error with Hasura's code and the path it is reported at; default `$`. */
export class HasuraError extends Error {
  readonly code: string
  readonly path: string

  constructor(code: string, message: string, path = '$') {
    super(message)
    this.name = 'HasuraError'
    this.code = code
    this.path = path
  }
}

/** Returns the body of an error response: exactly one error, no `data`, members in Hasura's order. */
export function errorBody({ code, message, path }: HasuraError): string {
  return JSON.stringify({ errors: [{ extensions: { path, code }, message }] })
}
