import { isIPv4, isIPv6 } from '#pkg/base';

import type { AddressType } from './types.ts';

export interface Ip {
  readonly family: AddressType;
  /** The canonical text: no leading zeros, IPv6 in lower case and shortened, IPv4 written as IPv6 as IPv4. */
  readonly text: string;
}

const IPV4 = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})\.(\d{1,9})$/;
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/**
 * Reads an address as generously as upstream does: leading zeros of IPv4 are decimal (`ParseIPSloppy` in
 * `k8s.io/utils/net`). Undefined where it is none.
 */
export function parseIp(text: string): Ip | undefined {
  // As nearly all are.
  if (isIPv4(text)) return { family: 'IPv4', text };
  const v4 = IPV4.exec(text);
  if (v4) return ipv4(v4.slice(1).map(Number));
  // Zones are no part of an address in the API.
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const canonical = shortened(text);
  const mapped = MAPPED.exec(canonical);
  if (!mapped) return { family: 'IPv6', text: canonical };
  const [high, low] = [Number.parseInt(mapped[1]!, 16), Number.parseInt(mapped[2]!, 16)];
  return ipv4([high >> 8, high & 0xff, low >> 8, low & 0xff]);
}

function ipv4(octets: readonly number[]): Ip | undefined {
  return octets.every((octet) => octet <= 255) ? { family: 'IPv4', text: octets.join('.') } : undefined;
}

/** RFC 5952, with the last 32 bits in hexadecimal as the rest. */
function shortened(text: string): string {
  const { hostname } = new URL(`http://[${text}]/`);
  return hostname.slice(1, -1);
}
