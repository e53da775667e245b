import { ownValue } from '#pkg/base';
import { BlockList, isIP } from 'node:net';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a server: the kubeconfig's `proxy-url`, which knows no exceptions, or what `HTTPS_PROXY`, `HTTP_PROXY`
 * and `NO_PROXY` say, by the rules of Go's `httpproxy` (loopback is never proxied; lower-case names count too).
 */
export function proxyFor(server: URL, configured: string | undefined, environment: Environment): URL | undefined {
  if (configured) return parseProxy(configured);
  const secure = server.protocol === 'https:';
  const text = secure ? variable(environment, 'HTTPS_PROXY') : variable(environment, 'HTTP_PROXY');
  if (!text || isExempt(server, variable(environment, 'NO_PROXY') ?? '')) return undefined;
  return parseProxy(text);
}

function variable(environment: Environment, name: string): string | undefined {
  return ownValue(environment, name) || ownValue(environment, name.toLowerCase());
}

const SCHEMES = new Set(['http:', 'https:', 'socks5:', 'socks5h:']);

function parseProxy(text: string): URL {
  const url = URL.parse(/^[a-z0-9]+:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || !SCHEMES.has(url.protocol)) {
    throw new RangeError(`${JSON.stringify(text)} is no proxy address: use http://, https:// or socks5://`);
  }
  return url;
}

function isExempt(server: URL, list: string): boolean {
  const host = server.hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  const port = server.port || (server.protocol === 'https:' ? '443' : '80');
  if (host === 'localhost' || host.endsWith('.localhost') || isLoopback(host)) return true;
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && matches(entry, host, port));
}

/** Made when first needed: few have a proxy, and Node loads what a list is made of only then. */
let loopback: BlockList | undefined;

function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return false;
  if (!loopback) {
    loopback = new BlockList();
    loopback.addSubnet('127.0.0.0', 8, 'ipv4');
    loopback.addAddress('::1', 'ipv6');
  }
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** `*`, an address, a range, a domain (itself and what is below it), `.domain` (only what is below); each but ranges also with a port. */
function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const family = isIP(host);
  const slash = entry.indexOf('/');
  if (slash > 0) return family !== 0 && inRange(entry.slice(0, slash), Number(entry.slice(slash + 1)), host, family);
  const { name, port: wanted } = splitPort(entry);
  if (wanted !== undefined && wanted !== port) return false;
  if (family !== 0) return isIP(name) !== 0 && normalise(name) === normalise(host);
  const domain = name.replace(/^\*\./, '.');
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

function inRange(base: string, bits: number, host: string, family: number): boolean {
  if (isIP(base) !== family || !Number.isInteger(bits) || bits < 0 || bits > (family === 4 ? 32 : 128)) return false;
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  const range = new BlockList();
  range.addSubnet(base, bits, kind);
  return range.check(host, kind);
}

function splitPort(entry: string): { name: string; port?: string } {
  const bracketed = /^\[(.+)\](?::(\d+))?$/.exec(entry);
  const match = bracketed ?? (isIP(entry) === 6 ? null : /^([^:]+):(\d+)$/.exec(entry));
  if (match === null) return { name: entry };
  return match[2] === undefined ? { name: match[1]! } : { name: match[1]!, port: match[2] };
}

/** IPv6 has many spellings of one address; URL knows the canonical one. */
function normalise(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname : address;
}
