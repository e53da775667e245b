import { semanticEqual, ownValue, setOwnValue } from '#pkg/base';
import { type JsonObject, cloneJson, isJsonObject } from '../json.ts';
import { badRequest, refusal } from '../refusals.ts';
import type { FieldSchema, ObjectSchema, ValueType } from '../schema/index.ts';
import { combine, deduplicate, keyed, ordered } from './element-order.ts';

/*
 * Strategic merge patch (`k8s.io/apimachinery/pkg/util/strategicpatch`): a merge patch that knows which lists are keyed.
 * Directives: `$patch` (replace, delete, merge) in a map or an item, `$retainKeys`, `$setElementOrder/<list>`,
 * `$deleteFromPrimitiveList/<list>`.
 */
const PATCH = '$patch';
const RETAIN_KEYS = '$retainKeys';
const SET_ORDER = '$setElementOrder/';
const DELETE_FROM = '$deleteFromPrimitiveList/';

/** Neither argument is changed. Throws an ApiError (BadRequest, or 500 without a reason as upstream does). */
export function strategicMergePatch(schema: ObjectSchema, document: JsonObject, patch: unknown): JsonObject {
  if (!isJsonObject(patch)) {
    const found = Array.isArray(patch) ? 'array' : patch === null ? 'null' : typeof patch;
    throw badRequest(`json: cannot unmarshal ${found} into Go value of type map[string]interface {}`);
  }
  return mergeMap(document, patch, { type: 'object', schema });
}

/** What is known about the values in a map: by field for a struct, the same for each key of a map, nothing else. */
type MapType = ValueType | undefined;

interface ListRules {
  readonly merge: boolean;
  readonly mergeKey: string | undefined;
  readonly items: MapType;
}

function fieldOf(type: MapType, key: string): FieldSchema | undefined {
  return type?.type === 'object' ? type.schema.fields.get(key) : undefined;
}

function childType(type: MapType, key: string): MapType {
  return type?.type === 'map' ? type.values : fieldOf(type, key)?.value;
}

function listRules(type: MapType, key: string): ListRules {
  const field = fieldOf(type, key);
  return {
    merge: field?.patchStrategy.includes('merge') ?? false,
    mergeKey: field?.patchMergeKey,
    items: field?.value.type === 'list' ? field.value.items : undefined,
  };
}

function broken(message: string): Error {
  return refusal(500, '', message);
}

function mergeMap(original: JsonObject, patch: JsonObject, type: MapType): JsonObject {
  const directive = patch[PATCH];
  if (directive === 'replace') {
    const { [PATCH]: _, ...rest } = patch;
    return cloneJson(rest);
  }
  if (directive === 'delete') return {};
  if (directive !== undefined)
    throw broken(
      `unknown patch type: ${JSON.stringify(directive).replaceAll('"', '')} in map: ${JSON.stringify(patch)}`,
    );

  const result = retainKeys(original, patch);
  const done = new Set<string>([RETAIN_KEYS]);
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(SET_ORDER)) continue;
    const list = key.slice(SET_ORDER.length);
    const merged = mergeOrdered(
      ownValue(result, list),
      ownValue(patch, list),
      ownValue(patch, key),
      listRules(type, list),
    );
    if (merged !== undefined) setOwnValue(result, list, merged);
    done.add(key).add(list);
  }
  for (const key of Object.keys(patch)) {
    if (done.has(key)) continue;
    if (key.startsWith(DELETE_FROM)) deleteFrom(result, key.slice(DELETE_FROM.length), ownValue(patch, key));
    else mergeKeyInto(result, key, ownValue(patch, key), type);
  }
  return result;
}

function mergeKeyInto(result: JsonObject, key: string, value: unknown, type: MapType): void {
  if (value === null) {
    delete result[key];
    return;
  }
  const current = ownValue(result, key);
  if (isJsonObject(current) && isJsonObject(value)) {
    const replace = fieldOf(type, key)?.patchStrategy.includes('replace') ?? false;
    setOwnValue(result, key, replace ? cloneJson(value) : mergeMap(current, value, childType(type, key)));
  } else if (Array.isArray(current) && Array.isArray(value)) {
    const rules = listRules(type, key);
    setOwnValue(result, key, rules.merge ? mergeList(current, value, rules, key) : cloneJson(value));
  } else {
    const bare = withoutDirectives(value);
    if (bare === undefined) delete result[key];
    else setOwnValue(result, key, bare);
  }
}

/** A copy of `original`, without the keys that the patch's `$retainKeys` does not name. */
function retainKeys(original: JsonObject, patch: JsonObject): JsonObject {
  const retained = patch[RETAIN_KEYS];
  if (retained === undefined) return { ...original };
  if (!Array.isArray(retained)) throw badRequest('invalid patch format of retainKeys');
  const keys = new Set<unknown>(retained);
  for (const [key, value] of Object.entries(patch)) {
    const directive = key === RETAIN_KEYS || key.startsWith(SET_ORDER) || key.startsWith(DELETE_FROM);
    if (!directive && value !== null && !keys.has(key)) throw badRequest('invalid patch format of retainKeys');
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => keys.has(key)));
}

function deleteFrom(result: JsonObject, key: string, values: unknown): void {
  const current = ownValue(result, key);
  if (!Array.isArray(current) || !Array.isArray(values)) return;
  const gone = new Set<unknown>(values);
  setOwnValue(
    result,
    key,
    current.filter((item) => !gone.has(item)),
  );
}

/** Merges a list whose final order the patch gives. Undefined where there is no list on either side. */
function mergeOrdered(current: unknown, patch: unknown, order: unknown, rules: ListRules): unknown[] | undefined {
  for (const list of [order, current ?? [], patch ?? []]) {
    if (!Array.isArray(list)) throw broken(`expected a []interface {}, but received a ${typeof list}`);
  }
  const orderList = order as unknown[];
  const patchList = patch as unknown[] | undefined;
  if (patchList !== undefined) requireOrder(patchList, orderList, rules.mergeKey);
  if (!Array.isArray(current)) return patchList === undefined ? undefined : (withoutDirectives(patchList) as unknown[]);
  const currentList = current as unknown[];
  const merged =
    patchList === undefined
      ? currentList
      : rules.merge
        ? mergeList(currentList, patchList, rules, '')
        : cloneJson(patchList);
  return arrange(merged, orderList, currentList, rules.mergeKey);
}

/** The patch's own items must stand in the order that its directive gives. */
function requireOrder(patch: readonly unknown[], order: readonly unknown[], mergeKey: string | undefined): void {
  let at = 0;
  for (const item of patch) {
    if (isJsonObject(item) && item[PATCH] === 'delete') continue;
    const key = keyed(item, mergeKey);
    while (at < order.length && keyed(order[at], mergeKey) !== key) at++;
    if (at === order.length) {
      throw broken(
        `The order in patch list:\n${JSON.stringify(patch)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n`,
      );
    }
  }
}

function mergeList(current: readonly unknown[], patch: readonly unknown[], rules: ListRules, name: string): unknown[] {
  if (current.length === 0 && patch.length === 0) return [];
  const maps = [...current, ...patch].filter(isJsonObject).length;
  if (maps !== 0 && maps !== current.length + patch.length) {
    throw broken(`list element types are not identical: [${JSON.stringify(current)} ${JSON.stringify(patch)}]`);
  }
  if (maps === 0) return arrange(deduplicate([...current, ...patch]), patch, current, undefined);
  const { mergeKey } = rules;
  if (mergeKey === undefined) throw broken(`cannot merge lists without merge key for ${name}`);

  const { kept, items, replaced } = applyItemDirectives(current as JsonObject[], patch as JsonObject[], mergeKey);
  if (replaced) return cloneJson(items);
  const merged = [...kept];
  for (const item of items) {
    const value = requireKey(item, mergeKey);
    const index = merged.findIndex((other) => semanticEqual(ownValue(other, mergeKey), value));
    if (index < 0) merged.push(cloneJson(item));
    else merged[index] = mergeMap(merged[index]!, item, rules.items);
  }
  return arrange(merged, items, kept, mergeKey);
}

function applyItemDirectives(
  current: readonly JsonObject[],
  patch: readonly JsonObject[],
  mergeKey: string,
): { kept: readonly JsonObject[]; items: JsonObject[]; replaced: boolean } {
  let kept = current;
  let replaced = false;
  const items: JsonObject[] = [];
  for (const item of patch) {
    const directive = item[PATCH];
    if (directive === undefined) items.push(item);
    else if (directive === 'replace') replaced = true;
    else if (directive === 'delete') {
      const value = requireKey(item, mergeKey);
      kept = kept.filter((other) => !semanticEqual(ownValue(other, mergeKey), value));
    } else if (directive === 'merge') throw broken('merging lists cannot yet be specified in the patch');
    else
      throw broken(
        `unknown patch type: ${JSON.stringify(directive).replaceAll('"', '')} in map: ${JSON.stringify(item)}`,
      );
  }
  return { kept, items, replaced };
}

function requireKey(item: JsonObject, mergeKey: string): unknown {
  const value = ownValue(item, mergeKey);
  if (value === undefined)
    throw broken(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
  return value;
}

/** Items that the patch names in the patch's order, the others in the server's, woven together. */
function arrange(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const named = new Set(patchOrder.map((item) => keyed(item, mergeKey)));
  const fromPatch = merged.filter((item) => named.has(keyed(item, mergeKey)));
  const fromServer = merged.filter((item) => !named.has(keyed(item, mergeKey)));
  return combine(
    ordered(fromServer, serverOrder, mergeKey),
    ordered(fromPatch, patchOrder, mergeKey),
    serverOrder,
    mergeKey,
  );
}

/** What a value that meets nothing on the server leaves: nulls and items with directives are gone. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isJsonObject(value)) return value;
  if (value[PATCH] !== undefined) return undefined;
  const result: JsonObject = {};
  for (const [key, child] of Object.entries(value)) {
    if (child === null) continue;
    const bare = withoutDirectives(child);
    if (bare !== undefined) setOwnValue(result, key, bare);
  }
  return result;
}
