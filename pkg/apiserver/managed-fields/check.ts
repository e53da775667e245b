import { isNumber } from '#pkg/base';
import { type JsonObject, isJsonObject, objectAt, stringAt } from '../json.ts';
import { badRequest, refusal } from '../refusals.ts';
import type { ObjectSchema } from '../schema/index.ts';
import { printPath } from './field-set.ts';
import { type Shape, elementOf, itemShape, resolve, shapeOfStruct, shapeUnder } from './shapes.ts';

/** Throws an ApiError where a configuration cannot be applied: it names owners, or does not fit the schema. */
export function checkConfiguration(schema: ObjectSchema, config: JsonObject): void {
  const sent = objectAt(config, 'metadata')?.['managedFields'];
  if (sent !== undefined && sent !== null) throw badRequest('metadata.managedFields must be nil');
  const errors: string[] = [];
  check(errors, shapeOfStruct(schema), config, []);
  if (errors.length === 0) return;
  const metadata = objectAt(config, 'metadata');
  const name = `${stringAt(metadata, 'namespace') ?? ''}/${stringAt(metadata, 'name') ?? ''}`;
  const about = `${name}; ${stringAt(config, 'apiVersion') ?? ''}, Kind=${stringAt(config, 'kind') ?? ''}`;
  throw refusal(500, '', `failed to create typed patch object (${about}): ${errors[0]}`);
}

function check(errors: string[], declared: Shape | undefined, value: unknown, path: readonly string[]): void {
  if (value === null) return;
  const shape = resolve(declared, value);
  const fail = (message: string): void => void errors.push(`${printPath(path)}: ${message}`);
  switch (shape.kind) {
    case 'scalar': {
      const wanted = wantedScalar(shape.scalar, value);
      if (wanted !== undefined) fail(wanted);
      return;
    }
    case 'atomic':
      if (shape.holds === 'list' ? !Array.isArray(value) : shape.holds === 'map' && !isJsonObject(value))
        fail(`expected ${shape.holds}, got ${printed(value)}`);
      return;
    case 'set':
    case 'keyed':
      if (Array.isArray(value)) checkItems(errors, shape, value, path);
      else fail(`expected list, got ${printed(value)}`);
      return;
    case 'map':
    case 'struct':
      if (!isJsonObject(value)) {
        fail(`expected map, got ${printed(value)}`);
        return;
      }
      checkKeys(errors, shape, value, path);
      return;
    case 'deduced':
  }
}

/** Undeclared fields come first: upstream stops at them. */
function checkKeys(errors: string[], shape: Shape, value: JsonObject, path: readonly string[]): void {
  const fields = Object.entries(value).map(([key, child]) => ({
    under: shapeUnder(shape, key),
    child,
    at: [...path, `f:${key}`],
  }));
  for (const { under, at } of fields)
    if (under === undefined) errors.push(`${printPath(at)}: field not declared in schema`);
  for (const { under, child, at } of fields) if (under !== undefined) check(errors, under, child, at);
}

function checkItems(errors: string[], shape: Shape, list: readonly unknown[], path: readonly string[]): void {
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    const element = elementOf(shape, item);
    if (element === undefined) {
      const keys = shape.kind === 'keyed' ? shape.keys.map((key) => JSON.stringify(key)).join(' ') : '';
      const why = isJsonObject(item)
        ? `associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`
        : `associative list with keys may not have ${item === null ? 'a null element' : 'non-map elements'}`;
      errors.push(`${printPath(path)}: element ${index}: ${why}`);
      continue;
    }
    if (seen.has(element)) errors.push(`${printPath(path)}: duplicate entries for key ${printPath([element])}`);
    seen.add(element);
    check(errors, itemShape(shape), item, [...path, element]);
  }
}

function wantedScalar(scalar: string, value: unknown): string | undefined {
  switch (scalar) {
    case 'int32':
    case 'int64':
    case 'double':
      return isNumber(value) ? undefined : `expected numeric (int or float), got ${describe(value)}`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got ${describe(value)}`;
    case 'any':
    case 'int-or-string':
    case 'quantity':
      return undefined;
    default:
      return typeof value === 'string' ? undefined : `expected string, got ${describe(value)}`;
  }
}

/** Names a value as Go prints what it got: scalars by their type, the rest by its value. */
function describe(value: unknown): string {
  if (Array.isArray(value) || isJsonObject(value)) return `&{${JSON.stringify(value)}}`;
  return typeof value === 'boolean'
    ? 'boolean'
    : isNumber(value)
      ? Number.isInteger(value.valueOf())
        ? 'int'
        : 'float'
      : 'string';
}

function printed(value: unknown): string {
  if (Array.isArray(value)) return `&{[${value.map(String).join(' ')}]}`;
  return `&{${typeof value === 'string' ? value : JSON.stringify(value)}}`;
}
