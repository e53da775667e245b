import type { Random } from '#pkg/base';
import { type JsonObject, ensureObject, listAt, objectAt, objectsAt, stringAt } from '../json.ts';
import type { Store } from '../store/index.ts';

const FIRST_PORT = 30_000;
const LAST_PORT = 32_767;
/** 10.96.0.0/16; the low part below 256 is left to addresses that people choose, as upstream leaves its lower band. */
const NETWORK = '10.96';

/** Cluster IPs and node ports, as the service registry allocates them (`pkg/registry/core/service/storage/alloc.go`). */
export function allocateService(store: Store, random: Random, service: JsonObject, old?: Readonly<JsonObject>): void {
  const spec = ensureObject(service, 'spec');
  const type = stringAt(spec, 'type') ?? 'ClusterIP';
  if (type === 'ExternalName') {
    if (old !== undefined) for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) delete spec[field];
    return;
  }
  if (old !== undefined) keepAllocated(spec, type, objectAt(old, 'spec') ?? {});
  allocateAddress(store, random, spec);
  if (type === 'NodePort' || type === 'LoadBalancer') allocatePorts(store, random, spec, stringAt(service['metadata'], 'uid'));
}

/** A whole object that does not repeat what was allocated does not mean to give it up (`patchAllocatedValues`). */
function keepAllocated(spec: JsonObject, type: string, old: Readonly<JsonObject>): void {
  if (old['type'] === 'ExternalName') return;
  if ((stringAt(spec, 'clusterIP') ?? '') === '' && listAt(spec, 'clusterIPs').length === 0) {
    for (const field of ['clusterIP', 'clusterIPs']) if (old[field] !== undefined) spec[field] = old[field];
  }
  spec['ipFamilies'] ??= old['ipFamilies'];
  spec['ipFamilyPolicy'] ??= old['ipFamilyPolicy'];
  const hadPorts = old['type'] === 'NodePort' || old['type'] === 'LoadBalancer';
  if (!hadPorts || (type !== 'NodePort' && type !== 'LoadBalancer')) return;
  for (const port of objectsAt(spec, 'ports')) {
    const same = objectsAt(old, 'ports').find((each) => each['port'] === port['port'] && each['protocol'] === port['protocol']);
    if (!port['nodePort'] && same?.['nodePort'] !== undefined) port['nodePort'] = same['nodePort'];
  }
}

function allocateAddress(store: Store, random: Random, spec: JsonObject): void {
  let address = stringAt(spec, 'clusterIP') ?? '';
  if (address === '') {
    const used = new Set(store.page('services', {}).entries.map((entry) => stringAt(entry.object['spec'], 'clusterIP')));
    do {
      address = `${NETWORK}.${1 + Math.floor(random() * 254)}.${1 + Math.floor(random() * 254)}`;
    } while (used.has(address));
    spec['clusterIP'] = address;
  }
  if (listAt(spec, 'clusterIPs').length === 0) spec['clusterIPs'] = [address];
  // Without an address and without a selector it is up to the endpoints, which may be of both kinds.
  if (address === 'None' && Object.keys(objectAt(spec, 'selector') ?? {}).length === 0) {
    spec['ipFamilies'] ??= ['IPv4', 'IPv6'];
    spec['ipFamilyPolicy'] ??= 'RequireDualStack';
  }
  spec['ipFamilies'] ??= [address.includes(':') ? 'IPv6' : 'IPv4'];
  spec['ipFamilyPolicy'] ??= 'SingleStack';
}

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
