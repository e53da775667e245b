import { semanticEqual, ownValue, setOwnValue } from '#pkg/base';
import { type JsonObject, listAt, objectAt, stringAt } from '../json.ts';
import type { Problems } from './errors.ts';
import { subdomainErrors } from './names.ts';
import { checkPositive, storageOf } from './resources.ts';
import { checkSources } from './volumes.ts';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const VOLUME_MODES = ['Block', 'Filesystem'];

export function checkClaimSpec(problems: Problems, spec: JsonObject, at = 'spec'): void {
  const modes = listAt(spec, 'accessModes');
  if (modes.length === 0) problems.required(`${at}.accessModes`, 'at least 1 access mode is required');
  for (const mode of modes) problems.oneOf(`${at}.accessModes`, mode, ACCESS_MODES);
  const size = storageOf(objectAt(spec, 'resources'));
  if (size === undefined) problems.required(`${at}.resources[storage]`);
  else checkPositive(problems, size, `${at}.resources[storage]`);
  checkStorageClassName(problems, spec, at);
  problems.oneOf(`${at}.volumeMode`, spec['volumeMode'], VOLUME_MODES);
}

export function checkVolumeSpec(problems: Problems, spec: JsonObject): void {
  const modes = listAt(spec, 'accessModes');
  if (modes.length === 0) problems.required('spec.accessModes');
  for (const mode of modes) problems.oneOf('spec.accessModes', mode, ACCESS_MODES);
  const capacity = objectAt(spec, 'capacity') ?? {};
  if (Object.keys(capacity).length === 0) problems.required('spec.capacity');
  if (!('storage' in capacity) || Object.keys(capacity).length > 1) {
    problems.unsupported('spec.capacity', Object.keys(capacity).length === 0 ? null : capacity, ['storage']);
  }
  for (const [name, amount] of Object.entries(capacity)) checkPositive(problems, amount, `spec.capacity[${name}]`);
  problems.oneOf('spec.persistentVolumeReclaimPolicy', spec['persistentVolumeReclaimPolicy'], [
    'Delete',
    'Recycle',
    'Retain',
  ]);
  checkSources(problems, spec, 'spec', 'must specify a volume type');
  checkStorageClassName(problems, spec, 'spec');
  problems.oneOf('spec.volumeMode', spec['volumeMode'], VOLUME_MODES);
}

function checkStorageClassName(problems: Problems, spec: JsonObject, at: string): void {
  const name = stringAt(spec, 'storageClassName') ?? '';
  if (name !== '') problems.invalid(`${at}.storageClassName`, name, ...subdomainErrors(name));
}

/** A claim's spec is fixed, but for its volume until it is bound and its size afterwards. */
export function checkClaimUpdate(problems: Problems, claim: JsonObject, old: JsonObject): void {
  const spec = objectAt(claim, 'spec') ?? {};
  const before = objectAt(old, 'spec') ?? {};
  const bound = objectAt(old, 'status')?.['phase'] === 'Bound';
  const kept: JsonObject = { ...spec };
  const free = [
    ...((stringAt(before, 'volumeName') ?? '') === '' ? ['volumeName'] : []),
    ...(bound ? ['resources', 'volumeAttributesClassName'] : []),
  ];
  for (const key of free) setOwnValue(kept, key, ownValue(before, key));
  if (before['storageClassName'] === undefined) kept['storageClassName'] = before['storageClassName'];
  if (!semanticEqual(kept, before)) {
    problems.forbidden(
      'spec',
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
    );
  }
}

export function checkVolumeUpdate(problems: Problems, volume: JsonObject, old: JsonObject): void {
  const source = (object: JsonObject): JsonObject => {
    const fixed = [
      'capacity',
      'accessModes',
      'claimRef',
      'persistentVolumeReclaimPolicy',
      'storageClassName',
      'mountOptions',
      'volumeMode',
      'nodeAffinity',
      'volumeAttributesClassName',
    ];
    return Object.fromEntries(Object.entries(objectAt(object, 'spec') ?? {}).filter(([key]) => !fixed.includes(key)));
  };
  if (!semanticEqual(source(volume), source(old)))
    problems.forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation');
  const mode = (object: JsonObject): unknown => objectAt(object, 'spec')?.['volumeMode'];
  if (mode(volume) !== mode(old)) problems.invalid('spec.volumeMode', mode(volume), 'field is immutable');
}

export function checkStorageClass(problems: Problems, object: JsonObject): void {
  if ((stringAt(object, 'provisioner') ?? '') === '') problems.required('provisioner');
  problems.oneOf('reclaimPolicy', object['reclaimPolicy'], ['Delete', 'Retain']);
  problems.oneOf('volumeBindingMode', object['volumeBindingMode'], ['Immediate', 'WaitForFirstConsumer']);
}
