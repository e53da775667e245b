import { zeroObject } from '../decode/index.ts';
import { type JsonObject, listAt, objectAt, stringAt } from '../json.ts';
import type { ObjectSchema } from '../schema/index.ts';
import {
  type ManagedFieldsEntry,
  type Manager,
  type Managers,
  capManagers,
  identify,
  readManagers,
  writeManagers,
} from './managers.ts';
import { compareWithin, managed, resetFields, takeOver } from './ownership.ts';

export interface TrackOptions {
  readonly schema: ObjectSchema;
  /** The stored object; missing on create. */
  readonly live?: JsonObject;
  /** What the request makes of it: decoded and defaulted, before admission and strategy, whose changes belong to nobody. */
  readonly object: JsonObject;
  /** The request's fieldManager, or the first word of its user agent. */
  readonly manager: string;
  readonly subresource?: string;
  /** RFC 3339, of the entry that changes. */
  readonly time: string;
}

/** The managed fields after a create, update or patch: `manager` owns what it changed, nobody what is gone. */
export function trackUpdate(options: TrackOptions): ManagedFieldsEntry[] {
  const { live, object } = options;
  const managers = managersBefore(live, object, options.subresource !== undefined && options.subresource !== 'scale');
  // An object whose fields were never tracked, or whose owners were wiped on purpose, stays so until it is applied.
  if (managers.size === 0 && stringAt(objectAt(live, 'metadata'), 'uid') !== undefined) return [];
  recordUpdate(managers, options);
  capManagers(managers);
  return writeManagers(managers);
}

/** Makes `manager` the owner of what differs between the two objects; in place. */
export function recordUpdate(managers: Managers, options: TrackOptions): void {
  const { schema, live = zeroObject(schema), object, manager, subresource, time } = options;
  const change = compareWithin(schema, live, object, resetFields(schema, subresource));
  takeOver(managers, '', change);
  const fields = managed(change.modified.union(change.added));
  if (fields.isEmpty) return;
  const entry: Manager = {
    manager: manager === '' ? 'unknown' : manager,
    operation: 'Update',
    apiVersion: apiVersionOf(object, live),
    ...(subresource === undefined ? {} : { subresource }),
    // Whoever scales is remembered, but not when.
    ...(subresource === 'scale' ? {} : { time }),
    fields,
  };
  const id = identify(entry);
  managers.set(id, { ...entry, fields: fields.union(managers.get(id)?.fields ?? fields) });
}

function apiVersionOf(object: JsonObject, live: JsonObject): string {
  return stringAt(object, 'apiVersion') ?? stringAt(live, 'apiVersion') ?? '';
}

/** A client that does not know managed fields must not wipe them; one that sends an empty list, or one empty entry, does. */
function managersBefore(live: JsonObject | undefined, object: JsonObject, ofLive: boolean): Managers {
  const before = readManagers(live) ?? new Map<string, Manager>();
  if (ofLive) return before;
  const sent = objectAt(object, 'metadata')?.['managedFields'];
  const list = listAt(object['metadata'], 'managedFields');
  const wiped = (Array.isArray(sent) && list.length === 0) || (list.length === 1 && isEmptyEntry(list[0]));
  if (wiped) return new Map();
  const own = readManagers(object);
  return own === undefined || own.size === 0 ? before : own;
}

function isEmptyEntry(entry: unknown): boolean {
  return (
    typeof entry === 'object' && entry !== null && Object.values(entry).every((value) => value === '' || value === null)
  );
}
