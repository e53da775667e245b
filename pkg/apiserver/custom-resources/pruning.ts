import { ownValue } from '#pkg/base';
import { isJsonObject, type JsonObject } from '../json.ts';
import { META_FIELDS, type Structural, structuralUnder } from './structural.ts';

/**
 * Takes away, in place, what the definition does not know (`schema/pruning`). Returns the paths of what went, in order, as
 * warnings name them: `spec.parts[0].extra`.
 */
export function pruneUnknown(object: JsonObject, structural: Structural): string[] {
  const removed: string[] = [];
  // Kind, version and metadata belong to every object.
  pruneMap(object, { ...structural, embedded: true }, '', removed);
  return removed.toSorted();
}

function prune(value: unknown, structural: Structural | undefined, path: string, removed: string[]): void {
  if (Array.isArray(value))
    for (const [index, item] of value.entries()) prune(item, structural?.items, `${path}[${index}]`, removed);
  else if (isJsonObject(value)) pruneMap(value, structural, path, removed);
}

function pruneMap(map: JsonObject, structural: Structural | undefined, path: string, removed: string[]): void {
  for (const key of Object.keys(map)) {
    if (structural?.embedded && META_FIELDS.has(key)) continue;
    const at = path === '' ? key : `${path}.${key}`;
    if (structural !== undefined && (structural.properties.has(key) || structural.additional !== undefined)) {
      pruneUnder(ownValue(map, key), structuralUnder(structural, key), at, removed);
    } else if (!structural?.preserve) {
      removed.push(at);
      delete map[key];
    }
  }
}

/** What is preserved is preserved all the way down, except where the definition says more of a part. */
function pruneUnder(value: unknown, structural: Structural | undefined, path: string, removed: string[]): void {
  if (structural?.preserve && Array.isArray(value)) {
    for (const [index, item] of value.entries()) keepPreserved(item, structural.items, `${path}[${index}]`, removed);
  } else prune(value, structural, path, removed);
}

function keepPreserved(value: unknown, structural: Structural | undefined, path: string, removed: string[]): void {
  if (structural !== undefined) pruneUnder(value, { ...structural, preserve: true }, path, removed);
}

/** Takes away nulls that may not be there and have no default to take their place; in place (`schema/defaulting/prunenulls`). */
export function pruneNulls(value: unknown, structural: Structural | undefined): void {
  if (Array.isArray(value)) for (const item of value) pruneNulls(item, structural?.items);
  else if (isJsonObject(value)) {
    for (const key of Object.keys(value)) {
      const under = structuralUnder(structural, key);
      if (ownValue(value, key) === null && under !== undefined && !under.nullable && under.default === undefined)
        delete value[key];
      else pruneNulls(ownValue(value, key), under);
    }
  }
}
