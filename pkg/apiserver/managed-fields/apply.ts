import { parseJson } from '#pkg/base';
import { isDeepStrictEqual } from 'node:util';
import { zeroObject } from '../decode/index.ts';
import { type JsonObject, cloneJson, ensureObject, isJsonObject, objectAt, stringAt } from '../json.ts';
import type { ObjectSchema } from '../schema/index.ts';
import { checkConfiguration } from './check.ts';
import { compare, fieldsOf } from './compare.ts';
import { FieldSet } from './field-set.ts';
import {
  type ManagedFieldsEntry,
  type Manager,
  type Managers,
  identify,
  readManagers,
  writeManagers,
} from './managers.ts';
import { merge, remove, withNamedFields } from './merge.ts';
import {
  type Conflict,
  compareWithin,
  conflictError,
  findConflicts,
  managed,
  resetFields,
  takeOver,
} from './ownership.ts';
import { type Shape, shapeOfStruct } from './shapes.ts';
import { recordUpdate } from './update.ts';

export interface ApplyOptions {
  readonly schema: ObjectSchema;
  /** The stored object; missing when the apply creates it. */
  readonly live?: JsonObject;
  /** The configuration as it was sent (`parseBody`), not decoded: a zero that is written out is an opinion. */
  readonly config: JsonObject;
  readonly manager: string;
  readonly force: boolean;
  readonly subresource?: string;
  /** RFC 3339, of entries that change. */
  readonly time: string;
}

export interface Applied {
  /** Carries its managed fields. To be decoded and defaulted before it is stored. */
  readonly object: JsonObject;
  readonly managedFields: ManagedFieldsEntry[];
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const FIRST = 'before-first-apply';

/**
 * Server-side apply (KEP-555): the configuration is merged over the live object, what its manager applied before and no longer
 * does goes unless someone else owns it, and what it changes of another's is a conflict. Throws an ApiError: Conflict with one
 * cause a field unless forced, BadRequest, or 500 for a configuration that does not fit the schema.
 */
export function apply(options: ApplyOptions): Applied {
  const { schema, config, subresource, time } = options;
  checkConfiguration(schema, config);
  const live = options.live ?? zeroObject(schema);
  const shape = shapeOfStruct(schema);
  const managers = readManagers(live) ?? new Map<string, Manager>();
  // What was there before anyone applied belongs to a manager of its own, so that applying it anew conflicts.
  if (managers.size === 0 && options.live !== undefined) {
    recordUpdate(managers, {
      schema,
      object: live,
      manager: FIRST,
      time,
      ...(subresource === undefined ? {} : { subresource }),
    });
  }
  const bare = withoutManagedFields(live);
  const resets = resetFields(schema, subresource);
  const attempt = (force: boolean): Applied => applyOnce({ ...options, force }, shape, bare, new Map(managers), resets);
  const keepLastApplied = options.manager === 'kubectl';
  if (options.force || !keepLastApplied) return finish(attempt(options.force), options);
  // kubectl may take over what its client-side apply wrote and nobody changed since.
  const allowed = unchangedSinceLastApplied(shape, bare);
  return finish(
    applyOnce(options, shape, bare, new Map(managers), resets, (conflicts) =>
      conflicts.filter(({ path }) => !(allowed?.has(path) ?? false)),
    ),
    options,
  );
}

function applyOnce(
  options: ApplyOptions,
  shape: Shape,
  live: JsonObject,
  managers: Managers,
  resets: FieldSet,
  relevant: (conflicts: Conflict[]) => Conflict[] = (conflicts) => conflicts,
): Applied {
  const { config, force, subresource, time } = options;
  const self: Manager = {
    manager: options.manager === '' ? 'unknown' : options.manager,
    operation: 'Apply',
    apiVersion: stringAt(config, 'apiVersion') ?? stringAt(live, 'apiVersion') ?? '',
    ...(subresource === undefined ? {} : { subresource }),
    fields: fieldsOf(shape, config).without(resets),
  };
  const id = identify(self);
  const last = managers.get(id);
  managers.set(id, { ...self, ...(last?.time === undefined ? {} : { time: last.time }) });
  const object = prune(shape, merge(shape, live, config), managers, last?.fields);

  const change = compareWithin(options.schema, live, object, resets);
  const conflicts = force ? [] : relevant(findConflicts(managers, id, change));
  if (conflicts.length > 0) throw conflictError(conflicts);
  takeOver(managers, id, change);

  const own = managers.get(id);
  const fields = managed(own?.fields ?? FieldSet.empty);
  const changed = !isDeepStrictEqual(live, object);
  if (own === undefined || fields.isEmpty) managers.delete(id);
  else managers.set(id, { ...own, fields, ...(changed ? { time } : {}) });
  return { object, managedFields: writeManagers(managers) };
}

/** Without what this manager applied last time and nobody owns any more (`Updater.prune`). */
function prune(shape: Shape, merged: JsonObject, managers: Managers, last: FieldSet | undefined): JsonObject {
  if (last === undefined || last.isEmpty) return merged;
  const named = (set: FieldSet): FieldSet => withNamedFields(shape, set);
  const lastNamed = named(last);
  let owned = FieldSet.empty;
  for (const manager of managers.values()) owned = owned.union(manager.fields);
  const mergedFields = named(fieldsOf(shape, merged));
  const bare = remove(shape, merged, lastNamed);
  const keptFields = named(fieldsOf(shape, bare)).union(named(owned));
  const kept = remove(shape, merged, mergedFields.difference(keptFields));
  // Only what was applied may go: the rest hangs below something that was, and stays.
  const dangling = named(fieldsOf(shape, kept));
  return remove(shape, merged, mergedFields.difference(dangling).intersection(lastNamed));
}

function withoutManagedFields(object: JsonObject): JsonObject {
  const copy = cloneJson(object);
  const metadata = copy['metadata'];
  if (isJsonObject(metadata)) delete metadata['managedFields'];
  return copy;
}

/** What kubectl's last client-side apply set and still holds; undefined where there was none. */
function unchangedSinceLastApplied(shape: Shape, live: JsonObject): FieldSet | undefined {
  const text = stringAt(objectAt(objectAt(live, 'metadata'), 'annotations'), LAST_APPLIED);
  if (text === undefined || text === '') return undefined;
  let applied: unknown;
  try {
    applied = parseJson(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(applied) || applied['apiVersion'] !== live['apiVersion']) return undefined;
  const change = compare(shape, applied, live);
  return fieldsOf(shape, applied).difference(change.modified).difference(change.added).difference(change.removed);
}

function finish(applied: Applied, options: ApplyOptions): Applied {
  const { object, managedFields } = applied;
  const metadata = ensureObject(object, 'metadata');
  const annotations = objectAt(metadata, 'annotations');
  if (options.manager === 'kubectl' && annotations !== undefined && (annotations[LAST_APPLIED] ?? '') !== '') {
    annotations[LAST_APPLIED] = lastAppliedText(options.config);
  }
  if (managedFields.length > 0) metadata['managedFields'] = managedFields;
  return applied;
}

function lastAppliedText(config: JsonObject): string {
  const copy = cloneJson(config);
  const annotations = objectAt(objectAt(copy, 'metadata'), 'annotations');
  if (annotations !== undefined) delete annotations[LAST_APPLIED];
  return `${JSON.stringify(sortKeys(copy))}\n`;
}

/** Go writes the keys of maps in order. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, child]) => [key, sortKeys(child)]));
}
