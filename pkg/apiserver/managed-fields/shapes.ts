import { ownValue, setOwnValue } from '#pkg/base';
import type { FieldSchema, ObjectSchema, ValueType } from '../schema/index.ts';
import { type JsonObject, isJsonObject } from '../json.ts';

/** How a value takes part in merging (structured-merge-diff's schema). `deduced` is told by the value itself. */
export type Shape =
  | { readonly kind: 'scalar'; readonly scalar: string }
  | { readonly kind: 'deduced' }
  | { readonly kind: 'atomic'; readonly holds: 'list' | 'map' | 'any' }
  | { readonly kind: 'set' }
  | { readonly kind: 'keyed'; readonly keys: readonly string[]; readonly items: ObjectSchema }
  | { readonly kind: 'map'; readonly values: Shape }
  | { readonly kind: 'struct'; readonly schema: ObjectSchema };

const DEDUCED: Shape = { kind: 'deduced' };
const ATOMIC_LIST: Shape = { kind: 'atomic', holds: 'list' };
const ATOMIC_MAP: Shape = { kind: 'atomic', holds: 'map' };
const ATOMIC_ANY: Shape = { kind: 'atomic', holds: 'any' };
const known = new WeakMap<FieldSchema, Shape>();

export function shapeOfField(field: FieldSchema): Shape {
  let shape = known.get(field);
  if (shape === undefined) {
    shape = readField(field);
    known.set(field, shape);
  }
  return shape;
}

function readField(field: FieldSchema): Shape {
  if (field.value.type === 'list') {
    if (field.listType === 'set') return { kind: 'set' };
    if (field.listType === 'map' && field.value.items.type === 'object') {
      return { kind: 'keyed', keys: field.listMapKeys.toSorted(), items: field.value.items.schema };
    }
    return ATOMIC_LIST;
  }
  if (field.atomic && field.value.type !== 'scalar') return ATOMIC_MAP;
  return shapeOfType(field.value);
}

function shapeOfType(type: ValueType): Shape {
  switch (type.type) {
    case 'scalar':
      return { kind: 'scalar', scalar: type.scalar };
    // What the server does not look into it does not merge either.
    case 'any':
      return type.deduced ? DEDUCED : ATOMIC_ANY;
    case 'list':
      return ATOMIC_LIST;
    case 'map':
      return { kind: 'map', values: shapeOfType(type.values) };
    case 'object':
      return shapeOfStruct(type.schema);
  }
}

export function shapeOfStruct(schema: ObjectSchema): Shape {
  return schema.atomic ? ATOMIC_MAP : { kind: 'struct', schema };
}

/** The shape under a key of a struct or map; undefined for a field that the struct does not have. */
export function shapeUnder(shape: Shape, key: string): Shape | undefined {
  if (shape.kind === 'struct') {
    const field = shape.schema.fields.get(key);
    if (field !== undefined) return shapeOfField(field);
    return shape.schema.open ? DEDUCED : undefined;
  }
  return shape.kind === 'map' ? shape.values : DEDUCED;
}

/** Undeclared parts have the shape of what is there: maps merge, lists are replaced. */
export function resolve(shape: Shape | undefined, value: unknown): Shape {
  if (shape !== undefined && shape.kind !== 'deduced') return shape;
  if (Array.isArray(value)) return ATOMIC_LIST;
  return isJsonObject(value) ? { kind: 'map', values: DEDUCED } : { kind: 'scalar', scalar: 'any' };
}

/** The path element of an item; undefined where it has none of its keys. Missing keys take the schema's default. */
export function elementOf(shape: Shape, item: unknown): string | undefined {
  if (shape.kind === 'set') return `v:${JSON.stringify(item)}`;
  if (shape.kind !== 'keyed' || !isJsonObject(item)) return undefined;
  const keys: JsonObject = {};
  for (const key of shape.keys) {
    const value = ownValue(item, key) ?? defaultKey(shape.items.fields.get(key));
    if (value !== undefined) setOwnValue(keys, key, value);
  }
  return Object.keys(keys).length === 0 ? undefined : `k:${JSON.stringify(keys)}`;
}

/** A key that is no pointer in Go has its zero value when it is missing. */
function defaultKey(field: FieldSchema | undefined): unknown {
  if (field === undefined || field.default !== undefined) return field?.default;
  if (field.presence === 'pointer' || field.value.type !== 'scalar') return undefined;
  return field.value.scalar === 'string' ? '' : 0;
}

export function itemShape(shape: Shape): Shape {
  return shape.kind === 'keyed' ? shapeOfStruct(shape.items) : { kind: 'scalar', scalar: 'any' };
}

/** Items by path element, in order; items that share one are together. */
export function indexItems(shape: Shape, list: unknown): Map<string, unknown[]> {
  const items = new Map<string, unknown[]>();
  if (!Array.isArray(list)) return items;
  for (const item of list as unknown[]) {
    const element = elementOf(shape, item);
    if (element === undefined) continue;
    const same = items.get(element);
    if (same === undefined) items.set(element, [item]);
    else same.push(item);
  }
  return items;
}

export function isBare(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isJsonObject(value) && Object.keys(value).length === 0;
}
