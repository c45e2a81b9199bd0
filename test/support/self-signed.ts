// A self-signed certificate for `localhost` (RFC 5280), created for each test, so that the repository contains no key.
import { generateKeyPairSync, sign } from 'node:crypto'

const SEQUENCE = 0x30
const SET = 0x31
const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const OBJECT_ID = 0x06
const UTF8_STRING = 0x0c
const UTC_TIME = 0x17

/** One value in DER (X.690). */
function der(tag: number, ...contents: (Buffer | string)[]): Buffer {
  const content = Buffer.concat(contents.map(each => (typeof each === 'string' ? Buffer.from(each, 'latin1') : each)))
  const length = content.length < 0x80 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

/** A key and its certificate, both in PEM. */
export function makeSelfSigned(): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ecdsaWithSha256 = der(SEQUENCE, der(OBJECT_ID, '\x2a\x86\x48\xce\x3d\x04\x03\x02'))
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, der(OBJECT_ID, '\x55\x04\x03'), der(UTF8_STRING, 'localhost'))))
  const validity = der(SEQUENCE, der(UTC_TIME, '200101000000Z'), der(UTC_TIME, '491231235959Z'))
  const names = der(SEQUENCE, der(0x82, 'localhost'))
  const extensions = der(0xa3, der(SEQUENCE, der(SEQUENCE, der(OBJECT_ID, '\x55\x1d\x11'), der(OCTET_STRING, names))))
  const version = der(0xa0, der(INTEGER, '\x02'))
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const content = der(SEQUENCE, version, der(INTEGER, '\x01'), ecdsaWithSha256, name, validity, name, spki, extensions)
  const signature = sign('sha256', content, privateKey)
  const certificate = der(SEQUENCE, content, ecdsaWithSha256, der(BIT_STRING, '\x00', signature))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`
  }
}
