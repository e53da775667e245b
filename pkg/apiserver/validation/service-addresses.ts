import { isIPv6 } from 'node:net';

import { type JsonObject, listAt, stringAt } from '../json.ts';
import type { Problems } from './errors.ts';
import { addressErrors } from './names.ts';

const FAMILIES = ['IPv4', 'IPv6'];
const POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const ADDRESSES = 'spec.clusterIPs';
const POLICY = 'spec.ipFamilyPolicy';

/** Addresses and families of a Service, by themselves and against one another (`ValidateServiceClusterIPsRelatedFields`). */
export function checkAddresses(problems: Problems, spec: JsonObject, type: string): void {
  const own = stringAt(spec, 'clusterIP') ?? '';
  const given = listAt(spec, 'clusterIPs').map(String);
  if (type === 'ExternalName') {
    const taken = {
      clusterIPs: given.length > 0 || own !== '',
      ipFamilies: listAt(spec, 'ipFamilies').length > 0,
      ipFamilyPolicy: spec['ipFamilyPolicy'] !== undefined,
    };
    for (const [field, set] of Object.entries(taken))
      if (set) problems.forbidden(`spec.${field}`, 'may not be set for ExternalName services');
    return;
  }
  if (own === '' && given.length > 0)
    problems.invalid(ADDRESSES, given, 'must be empty when `clusterIP` is not specified');
  else if (own !== '' && given.length > 0 && given[0] !== own)
    problems.invalid(ADDRESSES, given, 'first value must match `clusterIP`');
  checkFamilies(problems, spec);
  const addresses = given.length > 0 ? given : own === '' ? [] : [own];
  if (checkEach(problems, addresses)) checkTogether(problems, spec, addresses);
}

function checkFamilies(problems: Problems, spec: JsonObject): void {
  const families = listAt(spec, 'ipFamilies').map(String);
  for (const [index, family] of families.entries()) {
    const at = `spec.ipFamilies[${index}]`;
    problems.oneOf(at, family, FAMILIES);
    if (families.indexOf(family) < index) problems.duplicate(at, family);
  }
  problems.oneOf(POLICY, spec['ipFamilyPolicy'], POLICIES);
}

/** False where some is no address, so that nothing more can be said. */
function checkEach(problems: Problems, addresses: readonly string[]): boolean {
  let valid = true;
  for (const [index, address] of addresses.entries()) {
    if (index === 0 && address === 'None') {
      if (addresses.length === 1) continue;
      problems.invalid(ADDRESSES, addresses, "'None' must be the first and only value");
      valid = false;
      continue;
    }
    const errors = addressErrors(address);
    problems.invalid(`${ADDRESSES}[${index}]`, address, ...errors);
    if (errors.length > 0) valid = false;
  }
  if (addresses.length > 2) problems.invalid(ADDRESSES, addresses, 'may only hold up to 2 values');
  return valid;
}

function checkTogether(problems: Problems, spec: JsonObject, addresses: readonly string[]): void {
  const families = listAt(spec, 'ipFamilies').map(String);
  if (addresses.length > 1 && new Set(addresses.map(isIPv6)).size < 2)
    problems.invalid(ADDRESSES, addresses, 'may specify no more than one IP for each IP family');
  if (addresses[0] !== 'None') {
    for (const [index, address] of addresses.entries()) {
      const family = families[index];
      if (family === undefined || (family === 'IPv6') === isIPv6(address)) continue;
      problems.invalid(
        `${ADDRESSES}[${index}]`,
        address,
        `expected an ${family} value as indicated by \`ipFamilies[${index}]\``,
      );
    }
  }
  const policy = stringAt(spec, 'ipFamilyPolicy');
  if (policy !== undefined && policy !== 'SingleStack') return;
  const words = (what: string): string =>
    `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`;
  const selectsNothing = addresses[0] === 'None' && Object.keys(spec['selector'] ?? {}).length === 0;
  if (addresses.length === 2) problems.invalid(POLICY, policy ?? 'SingleStack', words('cluster IPs'));
  if (families.length === 2 && !(policy === undefined && selectsNothing))
    problems.invalid(POLICY, policy ?? 'SingleStack', words('IP families'));
}

/** A second address or family is given up by the policy alone. */
export function checkFamiliesUpdate(problems: Problems, spec: JsonObject, old: JsonObject): void {
  const policy = spec['ipFamilyPolicy'];
  if (policy === 'SingleStack') return;
  const reduced = (field: string): boolean => listAt(spec, field).length < listAt(old, field).length;
  if (reduced('clusterIPs'))
    problems.invalid(POLICY, policy, "must be 'SingleStack' to release the secondary cluster IP");
  if (reduced('ipFamilies'))
    problems.invalid(POLICY, policy, "must be 'SingleStack' to release the secondary IP family");
}
