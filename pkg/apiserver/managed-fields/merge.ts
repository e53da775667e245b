import { ownValue, setOwnValue } from '#pkg/base';
import { type JsonObject, cloneJson, isJsonObject } from '../json.ts';
import { FieldSet } from './field-set.ts';
import { type Shape, elementOf, indexItems, isBare, itemShape, resolve, shapeUnder } from './shapes.ts';

/** The live object with the configuration laid over it: lists by key, atomic parts as a whole. */
export function merge(shape: Shape, live: JsonObject, config: JsonObject): JsonObject {
  return (mergeValues(shape, live, config) ?? {}) as JsonObject;
}

function mergeValues(declared: Shape | undefined, live: unknown, config: unknown): unknown {
  const shape = resolve(declared, config ?? live);
  if (shape.kind === 'scalar' || shape.kind === 'atomic' || (isBare(live) && isBare(config))) {
    return cloneJson(config === undefined ? live : config);
  }
  if (shape.kind === 'set' || shape.kind === 'keyed') return mergeItems(shape, live, config);
  const left = isJsonObject(live) ? live : {};
  const right = isJsonObject(config) ? config : {};
  const result: JsonObject = {};
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const merged = mergeValues(shapeUnder(shape, key), ownValue(left, key), ownValue(right, key));
    if (merged !== undefined) setOwnValue(result, key, merged);
  }
  return result;
}

/** Items in the configuration's order; those that only the live list has keep their places between those both have. */
function mergeItems(shape: Shape, live: unknown, config: unknown): unknown[] {
  const liveItems = indexItems(shape, live);
  const configItems = indexItems(shape, config);
  const liveList = Array.isArray(live) ? (live as unknown[]) : [];
  const liveOrder = liveList.map((item) => ({ item, element: elementOf(shape, item) ?? '' }));
  const configOrder = Array.from(configItems.keys());
  const result: unknown[] = [];
  const done = new Set<string>();
  const emit = (element: string): void => {
    done.add(element);
    // Of items that share a key in the live list none can be told apart; the configuration's replaces them all.
    const twins = liveItems.get(element) ?? [];
    result.push(
      mergeValues(itemShape(shape), twins.length === 1 ? twins[0] : undefined, configItems.get(element)?.[0]),
    );
  };
  const shared = configOrder.filter((element) => liveItems.has(element));
  let next = 0;
  let [left, right] = [0, 0];
  while (left < liveOrder.length || right < configOrder.length) {
    const at = liveOrder[left];
    const wanted = configOrder[right];
    if (at !== undefined && wanted !== undefined) {
      if (at.element === wanted) {
        emit(wanted);
        left++;
        right++;
        next++;
        continue;
      }
      if (configItems.has(at.element) && shared[next] !== undefined && shared[next] !== at.element) {
        left++;
        continue;
      }
    }
    if (at !== undefined) {
      if (!configItems.has(at.element)) {
        result.push(cloneJson(at.item));
        left++;
        continue;
      }
      if (done.has(at.element)) left++;
    }
    if (wanted !== undefined) {
      emit(wanted);
      right++;
      if (shared[next] === wanted) next++;
    }
  }
  return result;
}

/** The object without the items and fields of a set. Atomic parts go only as a whole. */
export function remove(shape: Shape, value: JsonObject, fields: FieldSet): JsonObject {
  return (removeFrom(shape, value, fields) ?? {}) as JsonObject;
}

function removeFrom(declared: Shape | undefined, value: unknown, fields: FieldSet): unknown {
  const shape = resolve(declared, value);
  if (shape.kind === 'set' || shape.kind === 'keyed')
    return Array.isArray(value) ? removeItems(shape, value, fields) : undefined;
  if (shape.kind === 'scalar' || shape.kind === 'atomic') return value;
  if (!isJsonObject(value)) return undefined;
  const result: JsonObject = {};
  for (const [key, child] of Object.entries(value)) {
    const under = fields.children.get(`f:${key}`);
    if (under?.member) continue;
    setOwnValue(
      result,
      key,
      under === undefined ? child : emptied(child, removeFrom(shapeUnder(shape, key), child, under)),
    );
  }
  return result;
}

function removeItems(shape: Shape, list: readonly unknown[], fields: FieldSet): unknown[] {
  const kept: unknown[] = [];
  for (const item of list) {
    const under = fields.children.get(elementOf(shape, item) ?? '');
    if (under?.member) continue;
    kept.push(under === undefined ? item : emptied(item, removeFrom(itemShape(shape), item, under)));
  }
  return kept;
}

/** A map or list of which nothing is left stays, empty. */
function emptied(before: unknown, after: unknown): unknown {
  if (after !== undefined) return after;
  return Array.isArray(before) ? [] : isJsonObject(before) ? {} : after;
}

/** The set with every declared field in it that has something below it: owning a part keeps the whole path. */
export function withNamedFields(shape: Shape | undefined, set: FieldSet): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [element, child] of set.children) {
    let under: Shape | undefined;
    let named = false;
    if (shape !== undefined && element.startsWith('f:')) {
      const key = element.slice(2);
      if (shape.kind === 'struct' || shape.kind === 'map') under = shapeUnder(shape, key);
      named = shape.kind === 'struct' && shape.schema.fields.has(key);
    } else if (shape?.kind === 'keyed' && element.startsWith('k:')) under = itemShape(shape);
    const below = withNamedFields(under, child);
    children.set(element, new FieldSet(child.member || (named && child.children.size > 0), below.children));
  }
  return new FieldSet(set.member, children);
}
