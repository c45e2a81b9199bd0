// Chooses the proxy for a URL by curl's rules.
import { BlockList, isIP } from 'node:net'

/** The settings of the same names: the proxies, and the hosts reached without one. */
type ProxySettings = {
  HTTPS_PROXY?: URL | undefined
  HTTP_PROXY?: URL | undefined
  NO_PROXY: readonly string[]
}

/** The address of a proxy and the credentials for it. */
export type ProxyServer = {
  /** Whether the connection to the proxy itself uses TLS. */
  isSecure: boolean
  /** An IPv6 address is in brackets. */
  hostname: string
  port: number
  /** The value of `Proxy-Authorization`, Basic (RFC 7617); undefined if the proxy's URL has no user info. */
  authorization: string | undefined
}

/**
 * Returns the proxy for a URL: `HTTPS_PROXY` for https, `HTTP_PROXY` for http; undefined if that setting is unset or `NO_PROXY` covers the
 * host. Loopback hosts are treated like any other (curl, "Environment variables").
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

/** Whether an entry of `NO_PROXY` covers a host: `*`, a domain with its subdomains, an address or a CIDR range. */
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

/** curl's default port of an http proxy. */
const DEFAULT_PROXY_PORT = '1080'

/**
 * Reads the URL of a proxy as curl does: the default scheme is http, and the default port of an http proxy is 1080.
 * @throws {TypeError} if it is not an http or https URL, or its user info is badly encoded
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
  // `URL` drops port 80 from an http URL, although the default here is 1080; from an https URL it does not.
  if (url.protocol === 'http:' && url.port === '' && new URL(full.replace(/^http:/i, 'https:')).port === '') url.port = DEFAULT_PROXY_PORT
  return url
}
