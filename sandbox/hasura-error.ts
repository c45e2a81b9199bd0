// The one form of every error of Hasura v2 on its GraphQL routes.

/** An error with Hasura's code and the path it is reported at, `$` unless told. */
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

/** Gives the body of an error's answer: exactly one error, no `data`, members in Hasura's order. */
export function errorBody({ code, message, path }: HasuraError): string {
  return JSON.stringify({ errors: [{ extensions: { path, code }, message }] })
}
