import { isIP } from 'node:net';

import { semanticEqual } from '#pkg/base';

import { type JsonObject, listAt, objectAt, objectsAt, stringAt } from '../json.ts';
import { rangeErrors } from './endpoints.ts';
import type { Problems } from './errors.ts';
import { labelErrors, labelValueErrors, qualifiedNameErrors, subdomainErrors } from './names.ts';

const TYPES = ['FQDN', 'IPv4', 'IPv6'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const MOST_ENDPOINTS = 1000;
const MOST_ADDRESSES = 100;
const MOST_PORTS = 20_000;
const MOST_HINTS = 8;

/** `ValidateEndpointSlice`. */
export function checkEndpointSlice(problems: Problems, slice: JsonObject): void {
  checkType(problems, slice);
  checkPorts(problems, slice);
  checkEndpointList(problems, slice);
}

/** Endpoints that older versions took may stay as they are. */
export function checkEndpointSliceUpdate(problems: Problems, slice: JsonObject, old: JsonObject): void {
  checkType(problems, slice);
  checkPorts(problems, slice);
  if (!semanticEqual(slice['endpoints'], old['endpoints'])) checkEndpointList(problems, slice);
  if (slice['addressType'] !== old['addressType'])
    problems.invalid('addressType', slice['addressType'], 'field is immutable');
}

function checkType(problems: Problems, slice: JsonObject): void {
  const type = stringAt(slice, 'addressType') ?? '';
  if (type === '') problems.required('addressType');
  else problems.oneOf('addressType', type, TYPES);
}

function checkPorts(problems: Problems, slice: JsonObject): void {
  const ports = objectsAt(slice, 'ports');
  if (ports.length > MOST_PORTS) {
    problems.tooMany('ports', ports.length, MOST_PORTS);
    return;
  }
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const at = `ports[${index}]`;
    const name = stringAt(port, 'name') ?? '';
    if (name !== '') problems.invalid(`${at}.name`, name, ...labelErrors(name));
    if (names.has(name)) problems.duplicate(`${at}.name`, name);
    names.add(name);
    if ((stringAt(port, 'protocol') ?? '') === '') problems.required(`${at}.protocol`);
    else problems.oneOf(`${at}.protocol`, port['protocol'], PROTOCOLS);
    const application = stringAt(port, 'appProtocol');
    if (application !== undefined)
      problems.invalid(`${at}.appProtocol`, application, ...qualifiedNameErrors(application));
  }
}

function checkEndpointList(problems: Problems, slice: JsonObject): void {
  const type = stringAt(slice, 'addressType') ?? '';
  const endpoints = objectsAt(slice, 'endpoints');
  if (endpoints.length > MOST_ENDPOINTS) {
    problems.tooMany('endpoints', endpoints.length, MOST_ENDPOINTS);
    return;
  }
  for (const [index, endpoint] of endpoints.entries()) checkEndpoint(problems, endpoint, type, `endpoints[${index}]`);
}

function checkEndpoint(problems: Problems, endpoint: JsonObject, type: string, at: string): void {
  const addresses = listAt(endpoint, 'addresses').map(String);
  if (addresses.length === 0) problems.required(`${at}.addresses`, 'must contain at least 1 address');
  else if (addresses.length > MOST_ADDRESSES) problems.tooMany(`${at}.addresses`, addresses.length, MOST_ADDRESSES);
  for (const [position, address] of addresses.entries())
    checkAddress(problems, address, type, `${at}.addresses`, position);
  const nodeName = stringAt(endpoint, 'nodeName');
  if (nodeName !== undefined) problems.invalid(`${at}.nodeName`, nodeName, ...subdomainErrors(nodeName));
  const hostname = stringAt(endpoint, 'hostname');
  if (hostname !== undefined) problems.invalid(`${at}.hostname`, hostname, ...labelErrors(hostname));
  const hints = objectAt(endpoint, 'hints');
  checkHints(problems, objectsAt(hints, 'forZones'), labelValueErrors, `${at}.hints.forZones`);
  checkHints(problems, objectsAt(hints, 'forNodes'), subdomainErrors, `${at}.hints.forNodes`);
}

function checkAddress(problems: Problems, address: string, type: string, list: string, position: number): void {
  const at = `${list}[${position}]`;
  if (type === 'FQDN') problems.invalid(at, address, ...subdomainErrors(address));
  if (type !== 'IPv4' && type !== 'IPv6') return;
  const version = isIP(address);
  if (version === 0) problems.invalid(at, address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)');
  else {
    if (`IPv${version}` !== type) problems.invalid(list, address, `must be an ${type} address`);
    problems.invalid(at, address, ...rangeErrors(address, address));
  }
}

function checkHints(
  problems: Problems,
  hints: readonly JsonObject[],
  errorsOf: (name: string) => string[],
  at: string,
): void {
  if (hints.length > MOST_HINTS) {
    problems.tooMany(at, hints.length, MOST_HINTS);
    return;
  }
  const names = new Set<string>();
  for (const [index, hint] of hints.entries()) {
    const name = stringAt(hint, 'name') ?? '';
    if (names.has(name)) problems.duplicate(`${at}[${index}].name`, name);
    names.add(name);
    problems.invalid(`${at}[${index}].name`, name, ...errorsOf(name));
  }
}
