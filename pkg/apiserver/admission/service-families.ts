import { isIPv6 } from 'node:net';

import { semanticEqual, ownValue, setOwnValue } from '#pkg/base';
import { type JsonObject, listAt, objectAt, stringAt } from '../json.ts';

/** Families of this cluster's Services, the preferred one first. */
export const FAMILIES: readonly string[] = ['IPv4', 'IPv6'];
const LISTS = ['clusterIPs', 'ipFamilies'];

const familyOf = (address: string): string => (isIPv6(address) ? 'IPv6' : 'IPv4');
const textsAt = (spec: Readonly<JsonObject>, field: string): readonly string[] => listAt(spec, field).map(String);

/**
 * Fills in the families of a Service and how many it wants, in place, from what the user said, the addresses given and what
 * there was before. False where it contradicts itself: it stays as it is then, for validation to refuse (`initIPFamilyFields` of
 * `pkg/registry/core/service/storage/alloc.go`).
 */
export function initFamilies(spec: JsonObject, old?: Readonly<JsonObject>): boolean {
  if (old !== undefined && keepsPreferring(spec, old)) return true;
  const selectsNothing =
    stringAt(spec, 'clusterIP') === 'None' && Object.keys(objectAt(spec, 'selector') ?? {}).length === 0;
  const policy =
    stringAt(spec, 'ipFamilyPolicy') ??
    stringAt(old, 'ipFamilyPolicy') ??
    (selectsNothing ? 'RequireDualStack' : 'SingleStack');
  spec['ipFamilyPolicy'] = policy;
  const single = policy === 'SingleStack';
  if (old !== undefined && !single && LISTS.some((field) => listAt(spec, field).length < listAt(old, field).length))
    return false;
  // To ask for one family is to give the second up, where nothing else was changed.
  if (old !== undefined && single) for (const field of LISTS) giveUpSecond(spec, old, field);

  const families = [...textsAt(spec, 'ipFamilies')];
  const addresses = textsAt(spec, 'clusterIPs').filter((address) => address !== 'None');
  for (const address of addresses.slice(families.length)) families.push(familyOf(address));
  if (families.length === 0) families.push(FAMILIES[0]!);
  if (!single && families.length === 1) families.push(...FAMILIES.filter((family) => family !== families[0]));
  spec['ipFamilies'] = families;
  return true;
}

/** A Service that would take two families stays as it is until somebody asks for a change. */
function keepsPreferring(spec: Readonly<JsonObject>, old: Readonly<JsonObject>): boolean {
  return (
    [spec, old].every((one) => one['ipFamilyPolicy'] === 'PreferDualStack') &&
    LISTS.every((field) => semanticEqual(ownValue(spec, field), ownValue(old, field)))
  );
}

function giveUpSecond(spec: JsonObject, old: Readonly<JsonObject>, field: string): void {
  if (listAt(spec, field).length > 1 && semanticEqual(ownValue(spec, field), ownValue(old, field)))
    setOwnValue(spec, field, listAt(spec, field).slice(0, 1));
}
