// Whether a URL is reached through a proxy, by the rules of curl.
import { BlockList, isIP } from 'node:net'

/** The proxies and those who need none; the values of the settings of the same names. */
export type ProxySettings = {
  HTTPS_PROXY?: URL | undefined
  HTTP_PROXY?: URL | undefined
  NO_PROXY: readonly string[]
}

/** Where a proxy listens, and what it is told of who asks. */
export type ProxyServer = {
  /** Whether the proxy itself is reached by TLS. */
  isSecure: boolean
  /** An IPv6 address stands in brackets. */
  hostname: string
  port: number
  /** Basic credentials (RFC 7617) for `Proxy-Authorization`, where the proxy's URL holds any. */
  authorization: string | undefined
}

/**
 * Returns the proxy that a URL is reached through: `HTTPS_PROXY` for https, `HTTP_PROXY` for http; undefined where none is set or `NO_PROXY`
 * holds the host, loopback hosts being no exception (curl, "Environment variables").
 */
export function proxyFor({ protocol, hostname }: URL, settings: ProxySettings): ProxyServer | undefined {
  const proxy = protocol === 'https:' ? settings.HTTPS_PROXY : settings.HTTP_PROXY
  if (proxy === undefined || settings.NO_PROXY.some(entry => isCovered(hostname, entry))) return undefined
  const isSecure = proxy.protocol === 'https:'
  return { isSecure, hostname: proxy.hostname, port: Number(proxy.port || (isSecure ? 443 : 80)), authorization: authorizationOf(proxy) }
}

function authorizationOf({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return `Basic ${Buffer.from(credentials).toString('base64')}`
}

/** Whether a host is what an entry of `NO_PROXY` names: `*`, a domain with its subdomains, an address or a CIDR range. */
function isCovered(hostname: string, entry: string): boolean {
  if (entry === '*') return true
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) > 0) return isWithin(host, entry)
  const domain = entry.toLowerCase().replace(/^\.|\.$/g, '')
  const name = host.toLowerCase().replace(/\.$/, '')
  return domain !== '' && (name === domain || name.endsWith(`.${domain}`))
}

function isWithin(address: string, entry: string): boolean {
  const [network = '', prefix, ...more] = entry.replace(/[[\]]/g, '').split('/')
  const family = isIP(network) === 4 ? 'ipv4' : 'ipv6'
  const bits = family === 'ipv4' ? 32 : 128
  const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1
  if (isIP(network) === 0 || isIP(network) !== isIP(address) || more.length > 0 || length < 0 || length > bits) return false
  const range = new BlockList()
  range.addSubnet(network, length, family)
  return range.check(address, family)
}

/** The port of an http proxy whose URL names none, as curl has it. */
const DEFAULT_PROXY_PORT = '1080'

/**
 * Reads the URL of a proxy as curl does: without a scheme it is http, and an http proxy without a port listens on 1080.
 * @throws {TypeError} where it is no http or https URL, or its user info is badly encoded
 */
export function readProxyUrl(text: string): URL {
  const full = text.includes('://') ? text : `http://${text}`
  const url = new URL(full)
  if (!/^https?:$/.test(url.protocol) || url.hostname === '') throw new TypeError('another kind of URL')
  try {
    authorizationOf(url)
  } catch (cause) {
    throw new TypeError('badly encoded user info', { cause })
  }
  // `URL` drops a port 80, which is not the default here; as an https URL it keeps it.
  if (url.protocol === 'http:' && url.port === '' && new URL(full.replace(/^http:/i, 'https:')).port === '') url.port = DEFAULT_PROXY_PORT
  return url
}
