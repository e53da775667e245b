import { type JsonObject, listAt, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';
import type { Store } from '../store/index.ts';
import { type FieldError, Problems } from '../validation/index.ts';

export const FIRST_PORT = 30_000;
export const LAST_PORT = 32_767;

/** Addresses and node ports that the user asks for and that are not to be had (`pkg/registry/core/service/storage/alloc.go`). */
export function clashesOf(
  store: Store,
  service: Readonly<JsonObject>,
  old?: Readonly<JsonObject>,
): readonly FieldError[] {
  const spec = objectAt(service, 'spec') ?? {};
  const problems = new Problems();
  const own = stringAt(spec, 'clusterIP') ?? '';
  const given =
    listAt(spec, 'clusterIPs').length > 0 ? listAt(spec, 'clusterIPs').map(String) : own === '' ? [] : [own];
  const kept = new Set([
    ...listAt(old?.['spec'], 'clusterIPs'),
    ...objectsAt(old?.['spec'], 'ports').map((port) => port['nodePort']),
  ]);
  const addresses = given.filter((address) => address !== 'None' && !kept.has(address));
  const ports = [...objectsAt(spec, 'ports').entries()].filter(
    ([, port]) => (numberAt(port, 'nodePort') ?? 0) !== 0 && !kept.has(port['nodePort']),
  );
  if (addresses.length === 0 && ports.length === 0) return [];

  const uid = stringAt(service['metadata'], 'uid');
  const others = store.page('services', {}).entries.filter(({ object }) => stringAt(object['metadata'], 'uid') !== uid);
  const taken = new Set(
    others.flatMap(({ object }) => [
      ...listAt(object['spec'], 'clusterIPs'),
      ...objectsAt(object['spec'], 'ports').map((port) => port['nodePort']),
    ]),
  );
  for (const address of addresses) {
    if (taken.has(address))
      problems.invalid('spec.clusterIPs', given, `failed to allocate IP ${address}: provided IP is already allocated`);
  }
  for (const [index, port] of ports) {
    const at = `spec.ports[${index}].nodePort`;
    const number = numberAt(port, 'nodePort')!;
    if (number < FIRST_PORT || number > LAST_PORT)
      problems.invalid(
        at,
        number,
        `provided port is not in the valid range. The range of valid ports is ${FIRST_PORT}-${LAST_PORT}`,
      );
    else if (taken.has(number)) problems.invalid(at, number, 'provided port is already allocated');
  }
  return problems.list;
}
