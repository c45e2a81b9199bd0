// Variables: every wrong, missing and unknown one is named, and valid ones are forwarded unchanged.
import { type GraphQLSchema, isInputType, parse } from 'graphql'
import t from 'tap'
import { GatewayError } from '../../src/errors.ts'
import { readMembers } from '../../src/json.ts'
import { checkValue, type Place, pathOf } from '../../src/stored-operations/check-value.ts'
import { createOperationVariables, NAMED_FAULTS_MAX, type OperationVariables } from '../../src/stored-operations/operation-variables.ts'
import type { QueryText } from '../../src/stored-operations/read-query-text.ts'
import { declarationsOf } from '../../src/stored-operations/stored-operation.ts'
import { SCHEMA } from './fixtures.ts'

function variablesOf(declared: string, schema: GraphQLSchema | null = SCHEMA) {
  const [definition] = parse(`query Q(${declared}) { me { id } }`).definitions
  if (definition?.kind !== 'OperationDefinition') throw new Error('no operation')
  return createOperationVariables(declarationsOf(definition), schema ?? undefined)
}

function messageOf(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'INVALID_REQUEST') return error.message
    throw error
  }
}

const readBody = (variables: OperationVariables, json: string) => variables.fromBody(JSON.parse(json), readMembers(json))
const bodyFault = (declared: string, json: string) => messageOf(() => readBody(variablesOf(declared), json))
const queryFault = (declared: string, query: Record<string, QueryText>) => messageOf(() => variablesOf(declared).fromQuery(query))

t.test('all wrong, missing and unknown variables are named at once', async t => {
  const declared = '$a: Int!, $b: uuid!, $c: [order_by!], $d: Int! = 1'
  t.equal(
    bodyFault(declared, '{"a":"1","c":["asc","up"],"d":null,"e":1}'),
    'Variables: "a" must be a whole number from -2147483648 to 2147483647; "c[1]" must be one of asc, desc; "d" must not be null; ' +
      '"e" is not a variable of this operation; "b" is missing (uuid!)'
  )
  t.equal(
    queryFault(declared, { a: '1.5', c: ['asc', ''], e: '1' }),
    'Variables: "a" must be a whole number from -2147483648 to 2147483647; "c[1]" must be one of asc, desc; ' +
      '"e" is not a variable of this operation; "b" is missing (uuid!)'
  )
})

t.test('values that do not match their type are refused', async t => {
  const cases: [string, string[]][] = [
    ['Int', ['1.5', '2147483648', '-2147483649', '"1"', 'true', '1e400', '9007199254740993', '[[1]]', '{}']],
    ['Float', ['"1"', '1e400', 'true']],
    ['Boolean', ['1', '"true"']],
    ['String', ['1', '1.0', 'true', '{}']],
    ['ID', ['1.5', 'true', '{}']],
    ['uuid', ['"x"', '1', '"00000000-0000-4000-8000-00000000000"', '"{00000000-0000-4000-8000-000000000001"']],
    ['timestamptz', ['"soon"', '1', '"2026-1-1"', '"2026-01-01T9:30"']],
    ['date', ['"01.02.2026"', '20260101']],
    ['numeric', ['"x"', 'true', '{}', '""']],
    ['bigint', ['1.5', '"x"', '9223372036854775808', '-9223372036854775809', '1e30', '""']],
    ['order_by', ['"up"', '1', '"toString"', '"__proto__"']],
    [
      'user_bool_exp',
      ['1', '"{}"', '[]', '1.0', '{"id":1}', '{"id":{"_eq":"1"}}', '{"_and":[{"nope":1}]}', '{"__proto__":{}}', '{"constructor":1}']
    ],
    ['user_insert', ['{}', '{"name":null}', '{"name":"a","kind":"up"}']],
    ['one_of', ['{}', '{"a":1,"b":"x"}', '{"a":null}']],
    ['[Int!]', ['["1"]', '[null]', '"1"']],
    ['[[Int]]', ['[["1"]]']]
  ]
  for (const [type, values] of cases) {
    for (const value of values) t.match(bodyFault(`$v: ${type}`, `{"v":${value}}`), /^Variables: "v/, `${type} ${value}`)
  }
  t.equal(
    bodyFault('$v: user_bool_exp', '{"v":{"_and":[{"id":{"_eq":"x"}}]}}'),
    'Variables: "v._and[0].id._eq" must be a whole number from -2147483648 to 2147483647'
  )
  t.equal(bodyFault('$v: user_insert', '{"v":{}}'), 'Variables: "v.name" is missing')
})

t.test('valid values keep every digit', async t => {
  const cases: [string, string[]][] = [
    ['Int', ['1', '-2147483648', '1.0', 'null']],
    ['Float', ['1', '1.50', '-0', '1e3']],
    ['ID', ['"a"', '1', '9007199254740993']],
    ['uuid', ['"00000000-0000-4000-8000-000000000001"', '"{00000000000040008000000000000001}"']],
    ['timestamptz', ['"2026-01-31"', '"2026-01-31T09:30:00.123456+00:00"', '"2026-01-31 09:30Z"', '"now"', '"-infinity"']],
    ['date', ['"2026-01-31"', '"today"']],
    ['numeric', ['12345678901234567890.12', '"12.30"', '"NaN"', '1e400']],
    ['bigint', ['9007199254740993', '"9223372036854775807"', '-9223372036854775808']],
    ['jsonb', ['{"a":[1.0,null]}', '"x"', '1', 'null']],
    ['mystery', ['{}', '1.0', '"x"']],
    ['order_by', ['"asc"']],
    ['user_bool_exp', ['{"_not":{"id":{"_in":[1]}}}', '{"_and":{"id":{"_eq":null}}}']],
    ['user_insert', ['{"name":"a"}']],
    ['one_of', ['{"b":"x"}']],
    ['[Int!]', ['[1,2]', '[]', '1']]
  ]
  for (const [type, values] of cases) {
    for (const value of values) {
      t.equal(readBody(variablesOf(`$v: ${type}`), `{"v":${value}}`), `{"v":${value}}`, type)
    }
  }
})

t.test('a query string is read by the declared types', async t => {
  const cases: [string, QueryText, string][] = [
    ['Int', '7', '7'],
    ['Float', '1.50', '1.50'],
    ['Boolean', 'false', 'false'],
    ['String', '7', '"7"'],
    ['String', '', '""'],
    ['ID', '7', '"7"'],
    ['order_by', 'asc', '"asc"'],
    ['numeric', '12345678901234567890.10', '12345678901234567890.10'],
    ['bigint', '9007199254740993', '9007199254740993'],
    ['bigint', '007', '"007"'],
    ['jsonb', '{"a":1.0}', '{"a":1.0}'],
    ['jsonb', 'null', 'null'],
    ['mystery', 'a', '"a"'],
    ['mystery', '{"a":1}', '{"a":1}'],
    ['mystery', '{a', '"{a"'],
    ['[Int!]', '7', '[7]'],
    ['[Int!]!', ['7', '8'], '[7,8]'],
    ['[String!]', ['a', 'b'], '["a","b"]'],
    ['[[Int]]', ['[1,2]', '[3]'], '[[1,2],[3]]'],
    ['user_bool_exp', '{"id":{"_eq":1}}', '{"id":{"_eq":1}}'],
    ['[user_bool_exp!]', ['{"id":{"_eq":1}}', '{}'], '[{"id":{"_eq":1}},{}]']
  ]
  for (const [type, text, json] of cases) {
    t.equal(variablesOf(`$v: ${type}`).fromQuery({ v: text }), `{"v":${json}}`, `${type} ${text}`)
  }
})

t.test('text that cannot be read as its type is refused', async t => {
  const cases: [string, QueryText, RegExp][] = [
    ['Int', '', /whole number/],
    ['Int', '0x10', /whole number/],
    ['Int', ' 1', /whole number/],
    ['Int', ['1', '2'], /"v" must be given only once$/],
    ['Boolean', '1', /true or false/],
    ['Float', 'NaN', /a number/],
    ['numeric', 'ten', /a number/],
    ['jsonb', '{', /"v" must be JSON$/],
    ['user_bool_exp', '{', /"v" must be JSON$/],
    ['user_bool_exp', '[]', /an object/],
    ['[user_bool_exp!]', ['{}', '{'], /"v\[1\]" must be JSON$/],
    ['[Int!]', ['1', 'x'], /"v\[1\]" must be a whole/]
  ]
  for (const [type, text, message] of cases) t.match(queryFault(`$v: ${type}`, { v: text }), message, `${type} ${text}`)
})

t.test('without a schema, only built-in scalars are checked', async t => {
  const check = (declared: string, json: string) => messageOf(() => readBody(variablesOf(declared, null), json))
  t.match(check('$v: Int', '{"v":"1"}'), /whole number/)
  t.match(check('$v: [Int!]!', '{"v":[1,"x"]}'), /"v\[1\]"/)
  t.match(check('$v: uuid!', '{}'), /"v" is missing \(uuid!\)/)
  for (const value of ['"x"', '1', '{"a":1}', '[1]']) t.equal(check('$v: uuid!', `{"v":${value}}`), undefined, value)
  const read = (type: string, v: string) => variablesOf(`$v: ${type}`, null).fromQuery({ v })
  t.equal(read('users_bool_exp', '{"id":{"_eq":1.0}}'), '{"v":{"id":{"_eq":1.0}}}')
  t.equal(read('uuid', '1'), '{"v":"1"}')
  t.equal(read('numeric', '1.0'), '{"v":1.0}')
})

t.test('names of Object.prototype members are ordinary names', async t => {
  const declared = '$__proto__: Int, $constructor: String, $toString: [Int!]'
  const json = '{"__proto__":1,"constructor":"x","toString":[1]}'
  t.equal(readBody(variablesOf(declared), json), json)
  const query = Object.fromEntries([
    ['__proto__', '1'],
    ['constructor', 'x'],
    ['toString', '1']
  ])
  t.equal(variablesOf(declared).fromQuery(query), json)
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    t.equal(queryFault('$a: Int', Object.fromEntries([[name, '1']])), `Variables: "${name}" is not a variable of this operation`)
  }
  t.match(bodyFault('$constructor: Int!', '{}'), /"constructor" is missing/)
})

t.test('a body is an object, or empty', async t => {
  for (const body of ['[]', '1', '1.0', '"a"', 'null', 'true'])
    t.match(
      messageOf(() => readBody(variablesOf('$a: Int'), body)),
      /must be a JSON object/,
      body
    )
  t.equal(variablesOf('$a: Int').fromBody(undefined, undefined), undefined)
  t.equal(readBody(variablesOf('$a: Int'), '{}'), undefined)
  t.match(
    messageOf(() => variablesOf('$a: Int!').fromBody(undefined, undefined)),
    /"a" is missing/
  )
})

t.test('checking stops at the twentieth fault, and long names do not make the message long', async t => {
  const message = bodyFault('$v: [Int!]', JSON.stringify({ v: Array(1000).fill('x') })) ?? ''
  t.equal(message.match(/whole number/g)?.length, NAMED_FAULTS_MAX)
  t.match(message, /; the rest was not checked$/)
  t.ok((bodyFault('$v: Int', JSON.stringify({ ['x'.repeat(10_000)]: 1 })) ?? '').length < 200)
})

t.test('no path is built before there is a fault, however deep a value is', async t => {
  const places: Place[] = []
  const depth = 500
  let value: object = { id: { _in: Array(1000).fill(1).with(999, 'x') } }
  for (let i = 0; i < depth; i++) value = { _not: value }
  const type = SCHEMA.getType('user_bool_exp')
  if (!isInputType(type)) throw new Error('no type')
  checkValue(type, value, { step: 'v' }, place => void places.push(place))
  t.equal(places.length, 1)
  t.equal(places[0] && pathOf(places[0]), `v${'._not'.repeat(depth)}.id._in[999]`)
})

t.test('a member that appears twice in a checked object is refused', async t => {
  t.equal(readBody(variablesOf('$v: Int'), '{"v":"x","\\u0076":2}'), '{"v":2}', 'the last of two variables counts, and it alone is sent')
  t.match(bodyFault('$v: Int', '{"v":2,"v":"x"}'), /whole number/)
  for (const text of ['{"id":{"_eq":"x"},"id":null}', '{"_and":[{"id":{"_eq":1,"_\\u0065q":2}}]}']) {
    t.equal(bodyFault('$v: user_bool_exp', `{"v":${text}}`), 'Variables: "v" contains an object with two members of the same name', text)
    t.equal(queryFault('$v: user_bool_exp', { v: text }), 'Variables: "v" contains an object with two members of the same name', text)
  }
})

t.test('excessive nesting is refused', async t => {
  const deep = (depth: number) => `{"v":${'{"_not":'.repeat(depth)}{}${'}'.repeat(depth)}}`
  t.equal(bodyFault('$v: user_bool_exp', deep(900)), undefined)
  t.match(queryFault('$v: user_bool_exp', { v: deep(1_001) }), /nested too deeply/)
})
