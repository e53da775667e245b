import { ownValue } from '#pkg/base';
import { type JsonObject, objectAt, objectsAt, stringAt } from '../json.ts';
import type { Problems } from './errors.ts';
import { labelErrors } from './names.ts';

/** A field without which a source says nothing. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  hostPath: ['path'],
  secret: ['secretName'],
  persistentVolumeClaim: ['claimName'],
  nfs: ['server', 'path'],
  csi: ['driver'],
  local: ['path'],
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  image: ['reference'],
};

/** The volumes of a Pod; the names that mounts may use. */
export function checkVolumes(problems: Problems, volumes: readonly JsonObject[], at: string): Set<string> {
  const names = new Set<string>();
  for (const [index, volume] of volumes.entries()) {
    const place = `${at}[${index}]`;
    const name = stringAt(volume, 'name') ?? '';
    checkSources(problems, volume, place, 'must specify a volume type');
    if (name === '') problems.required(`${place}.name`);
    else problems.invalid(`${place}.name`, name, ...labelErrors(name));
    if (name !== '' && names.has(name)) problems.duplicate(`${place}.name`, name);
    names.add(name);
  }
  return names;
}

const NOT_SOURCES = new Set(['name', 'capacity', 'claimRef', 'nodeAffinity']);

/** Exactly one source. */
export function checkSources(problems: Problems, volume: JsonObject, at: string, missing: string): void {
  const given = Object.keys(volume).filter((key) => !NOT_SOURCES.has(key) && objectAt(volume, key) !== undefined);
  if (given.length === 0) problems.required(at, missing);
  // The order in which upstream looks: what is found first holds, the others are too many.
  const order = ['emptyDir', 'hostPath'];
  const sorted = given.toSorted((a, b) => rank(order, a) - rank(order, b));
  for (const extra of sorted.slice(1)) problems.forbidden(`${at}.${extra}`, 'may not specify more than 1 volume type');
  for (const key of sorted.slice(0, 1)) {
    const source = objectAt(volume, key)!;
    for (const field of ownValue(NEEDED, key) ?? [])
      if ((stringAt(source, field) ?? '') === '') problems.required(`${at}.${key}.${field}`);
    for (const [index, item] of objectsAt(source, 'items').entries()) {
      if (key === 'downwardAPI') continue;
      for (const field of ['key', 'path'])
        if ((stringAt(item, field) ?? '') === '') problems.required(`${at}.${key}.items[${index}].${field}`);
    }
  }
}

function rank(order: readonly string[], key: string): number {
  const index = order.indexOf(key);
  return index < 0 ? order.length : index;
}
