import { type JsonObject, isJsonObject, listAt, objectAt, stringAt } from '../json.ts';
import { FieldSet } from './field-set.ts';

/** One entry of `metadata.managedFields`. */
export type ManagedFieldsEntry = {
  manager?: string;
  operation?: 'Apply' | 'Update';
  apiVersion?: string;
  time?: string;
  fieldsType?: 'FieldsV1';
  fieldsV1?: JsonObject;
  subresource?: string;
};

export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly fields: FieldSet;
}

/** Managers by what identifies them. */
export type Managers = Map<string, Manager>;

/** Upstream's limit of managers by update (`DefaultMaxUpdateManagers`). */
const MAX_UPDATE_MANAGERS = 10;
const ANCIENT = 'ancient-changes';

/** An applier is the same in every version. */
export function identify(manager: Pick<Manager, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string {
  const { operation, apiVersion, subresource = '' } = manager;
  return JSON.stringify([manager.manager, operation, operation === 'Apply' ? '' : apiVersion, subresource]);
}

/** Undefined where an entry is not as it must be. */
export function readManagers(object: JsonObject | undefined): Managers | undefined {
  const managers: Managers = new Map();
  for (const entry of listAt(objectAt(object, 'metadata'), 'managedFields')) {
    if (!isJsonObject(entry)) return undefined;
    const { operation, apiVersion, fieldsType } = entry;
    if (operation !== 'Apply' && operation !== 'Update') return undefined;
    if (typeof apiVersion !== 'string' || apiVersion === '' || fieldsType !== 'FieldsV1') return undefined;
    const subresource = stringAt(entry, 'subresource');
    const time = stringAt(entry, 'time');
    const manager: Manager = {
      manager: stringAt(entry, 'manager') ?? '',
      operation,
      apiVersion,
      ...(subresource === undefined ? {} : { subresource }),
      ...(time === undefined ? {} : { time }),
      fields: FieldSet.parse(entry['fieldsV1']),
    };
    managers.set(identify(manager), manager);
  }
  return managers;
}

export function writeManagers(managers: Managers): ManagedFieldsEntry[] {
  return Array.from(managers.values()).toSorted(byAge).map(entryOf);
}

function entryOf({ manager, operation, apiVersion, subresource, time, fields }: Manager): ManagedFieldsEntry {
  return {
    manager,
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: fields.toJson(),
    ...(subresource === undefined || subresource === '' ? {} : { subresource }),
  };
}

/** Appliers before updaters, older before younger. */
function byAge(a: Manager, b: Manager): number {
  return (
    order(a.operation, b.operation) ||
    order(a.time ?? '', b.time ?? '') ||
    order(a.manager, b.manager) ||
    order(a.apiVersion, b.apiVersion) ||
    order(a.subresource ?? '', b.subresource ?? '')
  );
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The oldest updaters beyond the limit become one, so that the list cannot grow without end. */
export function capManagers(managers: Managers): void {
  const updaters = Array.from(managers)
    .filter(([, manager]) => manager.operation === 'Update')
    .toSorted(([idA, a], [idB, b]) => order(a.time ?? '', b.time ?? '') || order(idA, idB));
  let count = updaters.length;
  const firstOfVersion = new Map<string, string>();
  for (const [id, manager] of updaters) {
    if (count <= MAX_UPDATE_MANAGERS) return;
    const first = firstOfVersion.get(manager.apiVersion);
    if (first === undefined) {
      firstOfVersion.set(manager.apiVersion, id);
      continue;
    }
    const bucket: Manager = {
      manager: ANCIENT,
      operation: 'Update',
      apiVersion: manager.apiVersion,
      fields: FieldSet.empty,
    };
    const bucketId = identify(bucket);
    const known = managers.get(bucketId) ?? managers.get(first) ?? bucket;
    if (!managers.has(bucketId)) managers.delete(first);
    managers.delete(id);
    managers.set(bucketId, {
      ...bucket,
      fields: manager.fields.union(known.fields),
      ...(manager.time === undefined ? {} : { time: manager.time }),
    });
    count--;
  }
}

/** Names a manager as conflicts do: `"kubectl" using apps/v1`. */
export function printManager({ manager, operation, apiVersion, subresource = '' }: Manager): string {
  const name =
    subresource === ''
      ? JSON.stringify(manager)
      : `${JSON.stringify(manager)} with subresource ${JSON.stringify(subresource)}`;
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}
