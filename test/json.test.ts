// JSON numbers keep their text on the way through.
import fc from 'fast-check'
import t from 'tap'
import { isRawNumber, parseLossless } from '../src/json.ts'

const through = (text: string) => JSON.stringify(parseLossless(text))

t.test('text that is not JSON is refused, with and without odd numbers in it', async t => {
  for (const text of ['', '{', '{"a":01}', '{"a":1.}', '{"a":1.5', '[1e400', 'undefined', "{'a':1}"]) {
    t.throws(() => parseLossless(text), SyntaxError, text)
  }
})

t.test('every number keeps its text', async t => {
  const numbers = [
    '9007199254740993',
    '1.0',
    '-0',
    '1e400',
    '0.1000000000000000055',
    '-0.0',
    '1E5',
    '1e+5',
    '123456789012345678',
    '0',
    '-1',
    '10.50'
  ]
  for (const number of numbers) {
    for (const text of [number, `[${number}]`, `{"a":${number}}`, `{"a":[{"b":${number}},"x"]}`]) t.equal(through(text), text)
    t.equal(through(`{"a": ${number} }`), `{"a":${number}}`, 'after white space')
  }
})

t.test('a number that stands for itself is told from an object', async t => {
  t.ok(isRawNumber(parseLossless('1.0')))
  t.notOk(isRawNumber(parseLossless('{"rawJSON":"1.0"}')))
  t.notOk(isRawNumber(parseLossless('1')))
})

t.test('members named like those of a prototype are members like others', async t => {
  const text = '{"__proto__":{"a":1.0},"constructor":2.50,"toString":null}'
  t.equal(through(text), text)
})

t.test('of duplicate keys one is left, so that two readers can not differ', async t => {
  t.equal(through('{"a":1,"a":2.0}'), '{"a":2.0}')
})

/** JSON text with number literals of any form, written without white space and without duplicate keys. */
const jsonText = fc.letrec<{ value: string }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.stringMatching(/^-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/),
    fc.string({ unit: 'binary' }).map(value => JSON.stringify(value)),
    fc.constantFrom('true', 'false', 'null'),
    fc.array(tie('value'), { maxLength: 4 }).map(items => `[${items.join(',')}]`),
    fc
      .uniqueArray(fc.tuple(fc.string(), tie('value')), { maxLength: 4, selector: ([key]) => key })
      // JavaScript moves keys that look like array indexes to the front; their order means nothing in JSON.
      .map(members => members.filter(([key]) => !/^\d+$/.test(key)))
      .map(members => `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`)
  )
})).value

t.test('any JSON text comes out as it went in', async t => {
  fc.assert(
    fc.property(jsonText, text => through(text) === text),
    { numRuns: 2000 }
  )
  t.pass('2000 texts')
})
