import { ownValue, setOwnValue } from '#pkg/base';
import type { Random } from '#pkg/base';
import { type JsonObject, ensureObject, listAt, objectAt, objectsAt, stringAt } from '../json.ts';
import type { Store } from '../store/index.ts';
import { FIRST_PORT, LAST_PORT } from './service-clashes.ts';
import { initFamilies } from './service-families.ts';

/** 10.96.0.0/16 and fd00:10:96::/112; the part below 256 is left to addresses that people choose, as upstream's lower band. */
const NETWORK = '10.96';
const NETWORK_6 = 'fd00:10:96';

/** Cluster IPs and node ports, as the service registry allocates them (`pkg/registry/core/service/storage/alloc.go`). */
export function allocateService(store: Store, random: Random, service: JsonObject, old?: Readonly<JsonObject>): void {
  const spec = ensureObject(service, 'spec');
  const type = stringAt(spec, 'type') ?? 'ClusterIP';
  if (type === 'ExternalName') {
    if (old !== undefined)
      for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) delete spec[field];
    return;
  }
  const before = old && (objectAt(old, 'spec') ?? {});
  if (before !== undefined) keepAllocated(spec, type, before);
  if (listAt(spec, 'clusterIPs').length === 0 && stringAt(spec, 'clusterIP')) spec['clusterIPs'] = [spec['clusterIP']];
  if (initFamilies(spec, before?.['type'] === 'ExternalName' ? undefined : before))
    allocateAddresses(store, random, spec);
  const wantsPorts =
    type === 'NodePort' || (type === 'LoadBalancer' && spec['allocateLoadBalancerNodePorts'] !== false);
  if (wantsPorts) allocatePorts(store, random, spec, stringAt(service['metadata'], 'uid'));
}

/** A whole object that does not repeat what was allocated does not mean to give it up (`patchAllocatedValues`). */
function keepAllocated(spec: JsonObject, type: string, old: Readonly<JsonObject>): void {
  if (old['type'] === 'ExternalName') return;
  if ((stringAt(spec, 'clusterIP') ?? '') === '' && listAt(spec, 'clusterIPs').length === 0) {
    for (const field of ['clusterIP', 'clusterIPs'])
      if (ownValue(old, field) !== undefined) setOwnValue(spec, field, ownValue(old, field));
  }
  // A request for another policy that repeats neither addresses nor families is about both.
  spec['ipFamilies'] ??= old['ipFamilies'];
  const hadPorts = old['type'] === 'NodePort' || old['type'] === 'LoadBalancer';
  if (!hadPorts || (type !== 'NodePort' && type !== 'LoadBalancer')) return;
  for (const port of objectsAt(spec, 'ports')) {
    const same = objectsAt(old, 'ports').find(
      (each) => each['port'] === port['port'] && each['protocol'] === port['protocol'],
    );
    if (!port['nodePort'] && same?.['nodePort'] !== undefined) port['nodePort'] = same['nodePort'];
  }
}

/** An address of each family that the Service is to have and has none of yet. */
function allocateAddresses(store: Store, random: Random, spec: JsonObject): void {
  const own = stringAt(spec, 'clusterIP') ?? '';
  if (own === 'None') {
    spec['clusterIPs'] = ['None'];
    return;
  }
  const given = listAt(spec, 'clusterIPs').map(String);
  const addresses = given.length === 0 && own !== '' ? [own] : given;
  const missing = listAt(spec, 'ipFamilies').slice(addresses.length);
  if (missing.length > 0) {
    const used = new Set(
      store.page('services', {}).entries.flatMap(({ object }) => listAt(object['spec'], 'clusterIPs')),
    );
    for (const family of missing) addresses.push(freeAddress(family === 'IPv6' ? newIpv6 : newIpv4, random, used));
  }
  spec['clusterIPs'] = addresses;
  // One that differs from the first is the user's, and for validation to refuse.
  if (own === '') spec['clusterIP'] = addresses[0] ?? '';
}

function freeAddress(make: (random: Random) => string, random: Random, used: ReadonlySet<unknown>): string {
  for (;;) {
    const address = make(random);
    if (!used.has(address)) return address;
  }
}

const newIpv4 = (random: Random): string =>
  `${NETWORK}.${1 + Math.floor(random() * 254)}.${1 + Math.floor(random() * 254)}`;
const newIpv6 = (random: Random): string => `${NETWORK_6}::${(256 + Math.floor(random() * 0xff00)).toString(16)}`;

function allocatePorts(store: Store, random: Random, spec: JsonObject, uid: string | undefined): void {
  const missing = objectsAt(spec, 'ports').filter((port) => !port['nodePort']);
  if (missing.length === 0) return;
  const used = new Set<unknown>(objectsAt(spec, 'ports').map((port) => port['nodePort']));
  for (const { object } of store.page('services', {}).entries) {
    if (stringAt(object['metadata'], 'uid') === uid) continue;
    for (const port of objectsAt(object['spec'], 'ports')) used.add(port['nodePort']);
  }
  for (const port of missing) {
    let number: number;
    do {
      number = FIRST_PORT + Math.floor(random() * (LAST_PORT - FIRST_PORT + 1));
    } while (used.has(number));
    used.add(number);
    port['nodePort'] = number;
  }
}
