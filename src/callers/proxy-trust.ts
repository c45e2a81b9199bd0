// Decides which addresses belong to trusted load balancers, whose x-forwarded-for is believed.
import { BlockList, isIP } from 'node:net'

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** Returns an address without port and brackets, since some load balancers write `192.0.2.1:50000`; returns any other text unchanged. */
export function withoutPort(text: string): string {
  const [, bracketed, v4] = /^(?:\[([^\]]*)\](?::\d*)?|([\d.]+):\d*)$/.exec(text) ?? []
  return bracketed ?? v4 ?? text
}

/**
 * Returns a function that tells whether an address, with or without a port, belongs to a trusted load balancer.
 * @param ranges IP addresses or CIDR ranges
 */
export function createProxyTrust(ranges: readonly string[]): (address: string) => boolean {
  const trusted = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/')
    if (prefix === undefined) trusted.addAddress(address, familyOf(address))
    else trusted.addSubnet(address, Number(prefix), familyOf(address))
  }
  return text => {
    const address = withoutPort(text)
    return isIP(address) !== 0 && trusted.check(address, familyOf(address))
  }
}
