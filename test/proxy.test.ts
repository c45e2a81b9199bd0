// Which proxy is used for a URL.
import t from 'tap'
import { proxyFor, readProxyUrl } from '../src/proxy.ts'

const choose = (url: string, { https = 'http://secure:1', http = 'http://plain:2', no = '' } = {}) =>
  proxyFor(new URL(url), {
    HTTPS_PROXY: https ? readProxyUrl(https) : undefined,
    HTTP_PROXY: http ? readProxyUrl(http) : undefined,
    NO_PROXY: no.split(/[\s,]+/).filter(Boolean)
  })

t.test('the scheme of the URL chooses the proxy', async t => {
  t.match(choose('https://a.example.com'), { hostname: 'secure', port: 1 })
  t.match(choose('http://a.example.com'), { hostname: 'plain', port: 2 })
  t.equal(choose('https://a.example.com', { https: '' }), undefined)
  t.equal(choose('http://a.example.com', { http: '' }), undefined)
  t.ok(choose('http://127.0.0.1'), 'a loopback host is no exception')
})

// [URL, NO_PROXY, whether it is reached without a proxy]. curl 7.88 differs for `*` among others, /0, a second slash, and IPv6 other than a bare address.
for (const [url, no, isDirect] of [
  ['https://hasura.example.com', '', false],
  ['https://hasura.example.com', '*', true],
  ['https://10.0.0.1', '*', true],
  ['https://hasura.example.com', 'other, *', true],
  ['https://hasura.example.com', '*.example.com', false],
  ['https://hasura.example.com', 'hasura.example.com', true],
  ['https://hasura.example.com', 'HASURA.Example.COM', true],
  ['https://hasura.example.com:8443', 'hasura.example.com', true],
  ['https://hasura.example.com', 'hasura.example.com:443', false],
  ['https://hasura.example.com', 'example.com', true],
  ['https://hasura.example.com', '.example.com', true],
  ['https://example.com', '.example.com', true],
  ['https://hasura.example.com.', 'example.com', true],
  ['https://hasura.example.com', 'example.com.', true],
  ['https://hasura.example.com', 'com', true],
  ['https://badexample.com', 'example.com', false],
  ['https://example.com', 'hasura.example.com', false],
  ['https://hasura.example.com', 'xample.com', false],
  ['https://hasura.example.com', 'a.org b.org example.com', true],
  ['https://hasura.example.com', 'a.org,b.org', false],
  ['https://hasura.example.com', '.', false],
  ['https://localhost', 'localhost', true],
  ['https://localhost', '127.0.0.1', false],
  ['https://127.0.0.1', 'localhost', false],
  ['https://10.1.2.3', '10.1.2.3', true],
  ['https://10.1.2.3', '10.1.2.4', false],
  ['https://10.1.2.3', '2.3', false],
  ['https://10.1.2.3', '10.0.0.0/8', true],
  ['https://11.1.2.3', '10.0.0.0/8', false],
  ['https://10.1.2.3', '10.1.2.0/30', true],
  ['https://10.1.2.4', '10.1.2.0/30', false],
  ['https://10.1.2.3', '10.1.2.3/32', true],
  ['https://10.1.2.3', '0.0.0.0/0', true],
  ['https://10.1.2.3', '10.0.0.0/33', false],
  ['https://10.1.2.3', '10.0.0.0/', false],
  ['https://10.1.2.3', '10.0.0.0/x', false],
  ['https://10.1.2.3', '10.0.0.0/8/8', false],
  ['https://10.1.2.3', '::/0', false],
  ['https://[fd00::1]', 'fd00::1', true],
  ['https://[fd00::1]', '[fd00::1]', true],
  ['https://[fd00:0:0::1]', 'FD00::0001', true],
  ['https://[fd00::1]', 'fd00::/8', true],
  ['https://[fe80::1]', 'fd00::/8', false],
  ['https://[fd00::1]', '0.0.0.0/0', false],
  ['https://[fd00::1]', 'fd00::/129', false],
  ['https://hasura.example.com', '10.0.0.0/8', false]
] as const)
  t.test(`${url} is ${isDirect ? '' : 'not '}covered by "${no}"`, async t => {
    t.equal(choose(url, { no }) === undefined, isDirect)
  })

// [URL of the proxy, where it listens]
for (const [text, isSecure, hostname, port] of [
  ['http://proxy.example.com:3128', false, 'proxy.example.com', 3128],
  ['http://proxy.example.com:3128/', false, 'proxy.example.com', 3128],
  ['HTTP://Proxy.Example.com:3128', false, 'proxy.example.com', 3128],
  ['proxy.example.com:3128', false, 'proxy.example.com', 3128],
  ['proxy', false, 'proxy', 1080],
  ['http://proxy', false, 'proxy', 1080],
  ['http://proxy:80', false, 'proxy', 80],
  ['http://user:pw@proxy:80/', false, 'proxy', 80],
  ['http://proxy:443', false, 'proxy', 443],
  ['https://proxy', true, 'proxy', 443],
  ['https://proxy:80', true, 'proxy', 80],
  ['http://[fd00::1]:3128', false, '[fd00::1]', 3128],
  ['10.0.0.1:3128', false, '10.0.0.1', 3128]
] as const)
  t.test(`the proxy ${text} is at port ${port} of ${hostname}`, async t => {
    t.match(choose('https://a.example.com', { https: text }), { isSecure, hostname, port })
  })

for (const text of ['socks5://proxy:1080', 'ftp://proxy', 'http://', 'http://proxy:99999', 'http://a b', 'http://user:100%@proxy', '://'])
  t.test(`${text} is not a proxy`, async t => {
    t.throws(() => readProxyUrl(text), TypeError)
  })

t.test('user info is sent as Basic credentials, decoded', async t => {
  const authorizationOf = (https: string) => {
    const value = choose('https://a.example.com', { https })?.authorization
    return value && Buffer.from(value.replace(/^Basic /, ''), 'base64').toString()
  }
  t.equal(authorizationOf('http://user:p%40ss%C3%BC@proxy'), 'user:p@ssü')
  t.equal(authorizationOf('user:pw@proxy:3128'), 'user:pw')
  t.equal(authorizationOf('http://user@proxy'), 'user:')
  t.equal(authorizationOf('http://proxy'), undefined)
})
