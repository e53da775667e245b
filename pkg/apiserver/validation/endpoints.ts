import { isIP, isIPv4 } from 'node:net';

import { semanticEqual } from '#pkg/base';

import { type JsonObject, listAt, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';
import type { Problems } from './errors.ts';
import { labelErrors, portNumberErrors, qualifiedNameErrors, subdomainErrors } from './names.ts';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const ADDRESS_FIELDS = ['addresses', 'notReadyAddresses'] as const;

/** `ValidateEndpoints`. */
export function checkEndpoints(problems: Problems, endpoints: JsonObject): void {
  for (const [index, subset] of objectsAt(endpoints, 'subsets').entries()) {
    const at = `subsets[${index}]`;
    if (ADDRESS_FIELDS.every((field) => listAt(subset, field).length === 0))
      problems.required(at, 'must specify `addresses` or `notReadyAddresses`');
    for (const field of ADDRESS_FIELDS) {
      for (const [position, address] of objectsAt(subset, field).entries())
        checkAddress(problems, address, `${at}.${field}[${position}]`);
    }
    const ports = objectsAt(subset, 'ports');
    for (const [position, port] of ports.entries())
      checkPort(problems, port, ports.length > 1, `${at}.ports[${position}]`);
  }
}

/** What older versions took may stay as it is. */
export function checkEndpointsUpdate(problems: Problems, endpoints: JsonObject, old: JsonObject): void {
  if (!semanticEqual(endpoints['subsets'], old['subsets'])) checkEndpoints(problems, endpoints);
}

function checkAddress(problems: Problems, address: JsonObject, at: string): void {
  const ip = stringAt(address, 'ip') ?? '';
  const digits = withoutLeadingZeros(ip);
  const valid = isIP(digits) !== 0 && !ip.includes('%');
  if (!valid) problems.invalid(`${at}.ip`, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)');
  else if (digits !== ip) problems.invalid(`${at}.ip`, ip, 'must not have leading 0s');
  else if (isMapped(ip)) problems.invalid(`${at}.ip`, ip, 'must not be an IPv4-mapped IPv6 address');
  const hostname = stringAt(address, 'hostname') ?? '';
  if (hostname !== '') problems.invalid(`${at}.hostname`, hostname, ...labelErrors(hostname));
  const nodeName = stringAt(address, 'nodeName');
  if (nodeName !== undefined) problems.invalid(`${at}.nodeName`, nodeName, ...subdomainErrors(nodeName));
  problems.invalid(`${at}.ip`, ip, ...(valid ? rangeErrors(ip, digits) : ['must be a valid IP address']));
}

/** `ValidateEndpointIP`: addresses that nobody else can reach. */
export function rangeErrors(ip: string, digits: string): string[] {
  const [first, second, third] = isIPv4(digits) ? digits.split('.').map(Number) : [];
  const canonical = first === undefined ? canonicalIpv6(digits) : '';
  if (digits === '0.0.0.0' || canonical === '::') return [`may not be unspecified (${ip})`];
  if (first === 127 || canonical === '::1') return ['may not be in the loopback range (127.0.0.0/8, ::1/128)'];
  if ((first === 169 && second === 254) || /^fe[89ab][0-9a-f]:/.test(canonical))
    return ['may not be in the link-local range (169.254.0.0/16, fe80::/10)'];
  const multicast = first === 224 && second === 0 && third === 0;
  return multicast || /^ff[0-9a-f]2:/.test(canonical)
    ? ['may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)']
    : [];
}

function checkPort(problems: Problems, port: JsonObject, named: boolean, at: string): void {
  const name = stringAt(port, 'name') ?? '';
  if (name !== '') problems.invalid(`${at}.name`, name, ...labelErrors(name));
  else if (named) problems.required(`${at}.name`);
  const number = numberAt(port, 'port') ?? 0;
  problems.invalid(`${at}.port`, number, ...portNumberErrors(number));
  if ((stringAt(port, 'protocol') ?? '') === '') problems.required(`${at}.protocol`);
  else problems.oneOf(`${at}.protocol`, port['protocol'], PROTOCOLS);
  const application = stringAt(port, 'appProtocol');
  if (application !== undefined)
    problems.invalid(`${at}.appProtocol`, application, ...qualifiedNameErrors(application));
}

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';

/** `endpointsWarnings`: addresses that are right but oddly written. Of those of the controller it is known that there are none. */
export function endpointsWarnings(endpoints: JsonObject): string[] {
  if (stringAt(objectAt(endpoints['metadata'], 'labels'), MANAGED_BY) === 'endpoint-controller') return [];
  return objectsAt(endpoints, 'subsets').flatMap((subset, index) =>
    ADDRESS_FIELDS.flatMap((field) =>
      objectsAt(subset, field).flatMap((address, position) => {
        const ip = stringAt(address, 'ip') ?? '';
        const canonical = isIP(ip) === 6 ? canonicalIpv6(ip) : ip;
        return canonical === ip
          ? []
          : [
              `subsets[${index}].${field}[${position}].ip: IPv6 address "${ip}" should be in RFC 5952 canonical format ("${canonical}")`,
            ];
      }),
    ),
  );
}

function withoutLeadingZeros(ip: string): string {
  return /^\d+(?:\.\d+){3}$/.test(ip) ? ip.split('.').map(Number).join('.') : ip;
}

function canonicalIpv6(ip: string): string {
  return new URL(`http://[${ip}]/`).hostname.slice(1, -1);
}

const isMapped = (ip: string): boolean => isIP(ip) === 6 && /^::ffff:[0-9a-f]+:[0-9a-f]+$/.test(canonicalIpv6(ip));
