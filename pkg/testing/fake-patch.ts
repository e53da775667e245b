import type { KubeObject } from '#pkg/api';

type Json = { readonly [key: string]: unknown };

/** Lists that strategic merge joins by a key, as far as controllers patch them. */
const MERGE_KEYS: Readonly<Record<string, string>> = { ownerReferences: 'uid', conditions: 'type', containers: 'name' };
/** Lists of plain values that it joins. */
const PRIMITIVE_LISTS = new Set(['finalizers']);
const DELETE_FROM = '$deleteFromPrimitiveList/';

/** Merge and strategic merge patches, as far as the controllers under test use them. Nothing is written to. */
export function patchObject<T extends KubeObject>(object: T, kind: 'merge' | 'strategic', body: unknown): T {
  return merge(object as unknown as Json, body as Json, kind === 'strategic') as unknown as T;
}

function merge(target: Json, patch: Json, strategic: boolean): Json {
  const result: { [key: string]: unknown } = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    const old = result[key];
    if (value === null) delete result[key];
    else if (strategic && key.startsWith(DELETE_FROM)) {
      const list = key.slice(DELETE_FROM.length);
      result[list] = ((result[list] ?? []) as unknown[]).filter((item) => !(value as unknown[]).includes(item));
    } else if (strategic && Array.isArray(value) && MERGE_KEYS[key])
      result[key] = mergeList(old, value as Json[], MERGE_KEYS[key]);
    else if (strategic && Array.isArray(value) && PRIMITIVE_LISTS.has(key))
      result[key] = [...new Set([...((old ?? []) as unknown[]), ...value])];
    else if (isObject(value)) result[key] = merge(isObject(old) ? old : {}, value, strategic);
    else result[key] = value;
  }
  return result;
}

function mergeList(old: unknown, patches: readonly Json[], key: string): readonly Json[] {
  const items = [...((old ?? []) as Json[])];
  for (const patch of patches) {
    const at = items.findIndex((item) => item[key] === patch[key]);
    if (patch['$patch'] === 'delete') {
      if (at >= 0) items.splice(at, 1);
    } else if (at >= 0) items[at] = merge(items[at]!, patch, true);
    else items.push(patch);
  }
  return items;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
