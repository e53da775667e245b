import { ownValue, setOwnValue } from '#pkg/base';
import { type JsonObject, isJsonObject, objectAt, stringAt } from '../json.ts';
import { normalizeObject } from '../decode/index.ts';
import type { FieldError } from '../validation/errors.ts';
import { checkMetadata } from '../validation/metadata.ts';
import { Problems } from '../validation/errors.ts';
import { label1035Errors, pathSegmentErrors } from '../validation/names.ts';
import { objectMeta } from './object-schema.ts';
import { type Structural, structuralUnder } from './structural.ts';

/** Checks that lists which are sets or maps hold nothing twice (`schema/listtype`). */
export function checkLists(value: unknown, structural: Structural | undefined, path = ''): FieldError[] {
  if (structural === undefined) return [];
  if (Array.isArray(value)) {
    const list = value as unknown[];
    const inside = list.flatMap((item, index) => checkLists(item, structural.items, `${path}[${index}]`));
    return [...(structural.listType === 'atomic' ? [] : duplicatesIn(list, structural, path)), ...inside];
  }
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const known = structural.properties.has(key);
    return checkLists(
      child,
      structuralUnder(structural, key),
      known ? (path === '' ? key : `${path}.${key}`) : `${path}[${key}]`,
    );
  });
}

function duplicatesIn(list: readonly unknown[], { listType, listMapKeys }: Structural, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Map<string, number>();
  for (const [index, item] of list.entries()) {
    if (listType === 'map' && item !== null && !isJsonObject(item)) {
      return [
        {
          field: `${path}[${index}]`,
          type: 'invalid',
          badValue: item,
          detail: 'must be an object for an array of list-type map',
        },
      ];
    }
    const identity = listType === 'set' ? item : keysOf(item, listMapKeys);
    const text = JSON.stringify(identity);
    const times = seen.get(text) ?? 0;
    seen.set(text, times + 1);
    // The first that repeats stands for all.
    if (times === 1) errors.push({ field: `${path}[${index}]`, type: 'duplicate', badValue: identity, detail: '' });
  }
  return errors;
}

function keysOf(item: unknown, keys: readonly string[]): JsonObject {
  const found: JsonObject = {};
  for (const key of keys)
    if (isJsonObject(item) && ownValue(item, key) !== undefined) setOwnValue(found, key, ownValue(item, key));
  return found;
}

/** Checks that objects within objects say what they are (`schema/objectmeta`). */
export function checkEmbedded(value: unknown, structural: Structural | undefined, path = ''): FieldError[] {
  if (structural === undefined) return [];
  if (Array.isArray(value))
    return (value as unknown[]).flatMap((item, index) => checkEmbedded(item, structural.items, `${path}[${index}]`));
  if (!isJsonObject(value)) return [];
  const own = structural.embedded && path !== '' ? embeddedErrors(value, path) : [];
  const inside = Object.entries(value).flatMap(([key, child]) => {
    const known = structural.properties.has(key);
    return checkEmbedded(
      child,
      structuralUnder(structural, key),
      known ? (path === '' ? key : `${path}.${key}`) : `${path}[${key}]`,
    );
  });
  return [...own, ...inside];
}

function embeddedErrors(value: JsonObject, path: string): FieldError[] {
  const problems = new Problems();
  for (const key of ['apiVersion', 'kind']) {
    const text = ownValue(value, key);
    if (text === undefined) problems.required(`${path}.${key}`);
    else if (typeof text !== 'string') problems.invalid(`${path}.${key}`, text, 'must be a string');
    else if (text === '') problems.invalid(`${path}.${key}`, text, 'must not be empty');
    else if (key === 'apiVersion' && text.split('/').length > 2)
      problems.invalid(`${path}.apiVersion`, text, `unexpected GroupVersion string: ${text}`);
    else if (key === 'kind' && label1035Errors(text.toLowerCase()).length > 0) {
      problems.invalid(
        `${path}.kind`,
        text,
        `may have mixed case, but should otherwise match: ${label1035Errors(text.toLowerCase()).join(',')}`,
      );
    }
  }
  const metadata = objectAt(value, 'metadata');
  if (metadata !== undefined)
    checkMetadata(
      problems,
      { ...metadata, name: stringAt(metadata, 'name') || 'fakename' },
      pathSegmentErrors,
      `${path}.metadata`,
    );
  return problems.list;
}

/** Metadata within embedded objects, as Go's struct takes it; in place. */
export function coerceEmbedded(value: unknown, structural: Structural | undefined): void {
  if (structural === undefined) return;
  if (Array.isArray(value)) for (const item of value) coerceEmbedded(item, structural.items);
  else if (isJsonObject(value)) {
    const metadata = objectAt(value, 'metadata');
    if (structural.embedded && metadata !== undefined) value['metadata'] = coerceMetadata(metadata);
    for (const [key, child] of Object.entries(value)) coerceEmbedded(child, structuralUnder(structural, key));
  }
}

function coerceMetadata(metadata: JsonObject): JsonObject {
  return normalizeObject(objectMeta(), metadata, { strict: [] }, new Set());
}
