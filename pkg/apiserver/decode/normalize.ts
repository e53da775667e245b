import { ownValue, setOwnValue } from '#pkg/base';
import { type JsonObject, cloneJson, isJsonObject } from '../json.ts';
import type { FieldSchema, ObjectSchema, ValueType } from '../schema/index.ts';
import { describe, readScalar, zeroScalar } from './scalars.ts';

/** What was found on the way. */
export interface Findings {
  /** The first value of a wrong type, in Go's words. */
  error?: string;
  /** Fields that the schema does not know, and keys given twice: `unknown field "spec.foo"`. */
  readonly strict: string[];
}

interface Context {
  readonly findings: Findings;
  readonly duplicates: ReadonlySet<string>;
}

/** Where a value stands: as people write it, and as Go's decoder names it. */
interface Place {
  readonly path: string;
  readonly goPath: string;
  readonly struct: string;
}

/**
 * The object as it comes out of Go's typed structs: unknown fields dropped, nulls and omitted zero values gone, zero values
 * that are always written filled in, quantities and times in canonical form. A value that is already so comes out equal.
 */
export function normalizeObject(
  schema: ObjectSchema,
  value: JsonObject,
  findings: Findings,
  duplicates: ReadonlySet<string>,
): JsonObject {
  return normalizeStruct(schema, value, { findings, duplicates }, { path: '', goPath: '', struct: '' });
}

function normalizeStruct(schema: ObjectSchema, value: JsonObject, context: Context, place: Place): JsonObject {
  const result: JsonObject = {};
  for (const key of Object.keys(value)) {
    const path = place.path === '' ? key : `${place.path}.${key}`;
    const field = schema.fields.get(key);
    if (field === undefined) context.findings.strict.push(`unknown field "${path}"`);
    else {
      const at = { path, goPath: place.goPath === '' ? key : `${place.goPath}.${key}`, struct: shortName(schema) };
      const read = normalizeField(field, ownValue(value, key), context, at);
      if (read !== undefined) setOwnValue(result, key, read);
    }
    if (context.duplicates.has(path)) context.findings.strict.push(`duplicate field "${path}"`);
  }
  for (const field of schema.fields.values()) {
    if (ownValue(result, field.name) !== undefined) continue;
    if (field.presence === 'always') setOwnValue(result, field.name, zeroValue(field.value));
    else if (field.presence === 'null') setOwnValue(result, field.name, null);
  }
  return result;
}

function normalizeField(field: FieldSchema, value: unknown, context: Context, place: Place): unknown {
  if (value === null || value === undefined) return undefined;
  const read = normalizeValue(field.value, value, context, place);
  if (field.presence !== 'omitempty') return read;
  return isOmitted(field.value, read) ? undefined : read;
}

function isOmitted(type: ValueType, value: unknown): boolean {
  switch (type.type) {
    case 'scalar':
      return value === zeroScalar(type.scalar) && type.scalar !== 'quantity';
    case 'list':
      return Array.isArray(value) && value.length === 0;
    case 'map':
      return isJsonObject(value) && Object.keys(value).length === 0;
    case 'object':
    case 'any':
      return false;
  }
}

function normalizeValue(type: ValueType, value: unknown, context: Context, place: Place): unknown {
  switch (type.type) {
    case 'any':
      return cloneJson(value);
    case 'scalar': {
      const read = readScalar(type.scalar, value, type.goType);
      if ('value' in read) return read.value;
      fail(context, 'error' in read ? read.error : mismatch(read.mismatch, place, read.goType ?? type.goType));
      return zeroScalar(type.scalar);
    }
    case 'object':
      if (isJsonObject(value)) return normalizeStruct(type.schema, value, context, place);
      fail(context, mismatch(describe(value), place, type.schema.goType));
      return zeroValue(type);
    case 'list':
      if (Array.isArray(value)) {
        return value.map((item: unknown, index) =>
          item === null
            ? zeroValue(type.items)
            : normalizeValue(type.items, item, context, { ...place, path: `${place.path}[${index}]` }),
        );
      }
      fail(context, mismatch(describe(value), place, goTypeOf(type)));
      return [];
    case 'map': {
      if (!isJsonObject(value)) {
        fail(context, mismatch(describe(value), place, goTypeOf(type)));
        return {};
      }
      const result: JsonObject = {};
      for (const key of Object.keys(value)) {
        const path = `${place.path}.${key}`;
        const item = ownValue(value, key);
        setOwnValue(
          result,
          key,
          item === null ? zeroValue(type.values) : normalizeValue(type.values, item, context, { ...place, path }),
        );
        if (context.duplicates.has(path)) context.findings.strict.push(`duplicate field "${path}"`);
      }
      return result;
    }
  }
}

function fail(context: Context, error: string): void {
  context.findings.error ??= error;
}

function mismatch(found: string, place: Place, goType: string): string {
  return `json: cannot unmarshal ${found} into Go struct field ${place.struct}.${place.goPath} of type ${goType}`;
}

function shortName(schema: ObjectSchema): string {
  return schema.name.slice(schema.name.lastIndexOf('.') + 1);
}

function goTypeOf(type: ValueType): string {
  switch (type.type) {
    case 'scalar':
      return type.goType;
    case 'object':
      return type.schema.goType;
    case 'list':
      return `[]${goTypeOf(type.items)}`;
    case 'map':
      return `map[string]${goTypeOf(type.values)}`;
    case 'any':
      return 'interface {}';
  }
}

/** What Go writes for a field that is missing but always written. */
export function zeroValue(type: ValueType): unknown {
  switch (type.type) {
    case 'scalar':
      return zeroScalar(type.scalar);
    case 'object':
      return zeroObject(type.schema);
    case 'list':
    case 'map':
    case 'any':
      return null;
  }
}

/** The zero value of a struct: the fields that are always written. */
export function zeroObject(schema: ObjectSchema): JsonObject {
  const result: JsonObject = {};
  for (const field of schema.fields.values()) {
    if (field.presence === 'always') setOwnValue(result, field.name, zeroValue(field.value));
    else if (field.presence === 'null') setOwnValue(result, field.name, null);
  }
  return result;
}
