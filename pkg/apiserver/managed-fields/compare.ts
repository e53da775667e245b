import { ownValue } from '#pkg/base';
import { isDeepStrictEqual } from 'node:util';
import { type JsonObject, isJsonObject } from '../json.ts';
import { type FieldSet, FieldSetBuilder } from './field-set.ts';
import { type Shape, indexItems, isBare, itemShape, resolve, shapeUnder } from './shapes.ts';

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

interface Walk {
  readonly added: FieldSetBuilder;
  readonly modified: FieldSetBuilder;
  readonly removed: FieldSetBuilder;
}

/** What changed from `before` to `after`, path by path. */
export function compare(shape: Shape, before: JsonObject, after: JsonObject): Comparison {
  const walk: Walk = { added: new FieldSetBuilder(), modified: new FieldSetBuilder(), removed: new FieldSetBuilder() };
  compareValues(walk, shape, before, after, []);
  return { added: walk.added.build(), modified: walk.modified.build(), removed: walk.removed.build() };
}

/** Undefined stands for what is not there; null is a value. */
function compareValues(
  walk: Walk,
  declared: Shape | undefined,
  before: unknown,
  after: unknown,
  path: readonly string[],
): void {
  if (before === after) return;
  const shape = resolve(declared, after ?? before);
  const leaf = shape.kind === 'scalar' || shape.kind === 'atomic' || (isBare(before) && isBare(after));
  if (leaf) {
    if (before !== undefined && after !== undefined) {
      if (!isSame(before, after)) walk.modified.insert(path);
      return;
    }
  } else if (shape.kind === 'set' || shape.kind === 'keyed') compareItems(walk, shape, before, after, path);
  else compareKeys(walk, shape, before, after, path);
  if (before === undefined) walk.added.insert(path);
  else if (after === undefined) walk.removed.insert(path);
}

/** Most leaves are plain values, for which the deep comparison is slow. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  return typeof a === 'object' && typeof b === 'object' && isDeepStrictEqual(a, b);
}

function compareKeys(walk: Walk, shape: Shape, before: unknown, after: unknown, path: readonly string[]): void {
  const left = isJsonObject(before) ? before : {};
  const right = isJsonObject(after) ? after : {};
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    compareValues(walk, shapeUnder(shape, key), ownValue(left, key), ownValue(right, key), [...path, `f:${key}`]);
  }
}

function compareItems(walk: Walk, shape: Shape, before: unknown, after: unknown, path: readonly string[]): void {
  const left = indexItems(shape, before);
  const right = indexItems(shape, after);
  for (const element of new Set([...left.keys(), ...right.keys()])) {
    const [was, is] = [left.get(element) ?? [], right.get(element) ?? []];
    const at = [...path, element];
    if (was.length <= 1 && is.length <= 1) compareValues(walk, itemShape(shape), was[0], is[0], at);
    else if (was.length > 1 && is.length > 1) {
      if (!isDeepStrictEqual(was, is)) walk.modified.insert(at);
    } else if (was.length > 1) {
      compareValues(walk, itemShape(shape), undefined, is[0], at);
      walk.removed.insert(at);
    } else {
      compareValues(walk, itemShape(shape), was[0], undefined, at);
      walk.added.insert(at);
    }
  }
}

/** Every path that an object has an opinion on. */
export function fieldsOf(shape: Shape, value: JsonObject): FieldSet {
  const builder = new FieldSetBuilder();
  collect(builder, shape, value, []);
  return builder.build();
}

function collect(builder: FieldSetBuilder, declared: Shape | undefined, value: unknown, path: readonly string[]): void {
  const shape = resolve(declared, value);
  switch (shape.kind) {
    case 'scalar':
    case 'atomic':
    case 'deduced':
      builder.insert(path);
      return;
    case 'set':
    case 'keyed':
      for (const [element, items] of indexItems(shape, value)) {
        const at = [...path, element];
        if (items.length === 1) collect(builder, itemShape(shape), items[0], at);
        builder.insert(at);
      }
      return;
    case 'map':
    case 'struct':
      if (!isJsonObject(value)) return;
      for (const [key, child] of Object.entries(value)) {
        const at = [...path, `f:${key}`];
        const under = shapeUnder(shape, key);
        collect(builder, under, child, at);
        const declaredField = shape.kind === 'struct' && under !== undefined;
        if (child === null || (isJsonObject(child) && Object.keys(child).length === 0) || !declaredField)
          builder.insert(at);
      }
  }
}
