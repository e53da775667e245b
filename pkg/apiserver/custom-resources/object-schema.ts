import { ownValue } from '#pkg/base';
import { type FieldSchema, type ObjectSchema, type ScalarKind, type ValueType, schemaFor } from '../schema/index.ts';
import type { Structural } from './structural.ts';

/*
 * A definition's structure in the form in which this server holds its own kinds, for what works on both: who owns which field, and
 * the OpenAPI documents.
 */

const SCALARS: Readonly<Record<string, readonly [ScalarKind, string]>> = {
  string: ['string', 'string'],
  integer: ['int64', 'int64'],
  number: ['double', 'float64'],
  boolean: ['boolean', 'bool'],
};
const STRING: ValueType = { type: 'scalar', scalar: 'string', goType: 'string' };
/** Schema of what the definition says nothing about: merged as what is there suggests. */
const DEDUCED: ValueType = { type: 'any', deduced: true };

/** Schema of `metadata`, which is the same for all. */
export function objectMeta(): ObjectSchema {
  const { value } = schemaFor('', 'v1', 'ConfigMap')!.fields.get('metadata')!;
  if (value.type !== 'object') throw new TypeError('metadata is no struct');
  return value.schema;
}

/** `name` as OpenAPI documents have it: `com.example.v1.Foo`. */
export function schemaOf(name: string, structural: Structural, hasStatus: boolean): ObjectSchema {
  const fields = fieldsOf(name, { ...structural, embedded: true });
  return {
    name,
    goType: 'unstructured.Unstructured',
    atomic: structural.atomicMap,
    fields,
    open: structural.preserve,
    custom: { hasStatus },
  };
}

function fieldsOf(name: string, structural: Structural): ReadonlyMap<string, FieldSchema> {
  const fields = new Map<string, FieldSchema>();
  const required = new Set(Array.isArray(structural.source['required']) ? structural.source['required'] : []);
  if (structural.embedded) {
    fields.set('apiVersion', fieldOf('apiVersion', STRING));
    fields.set('kind', fieldOf('kind', STRING));
    fields.set('metadata', fieldOf('metadata', { type: 'object', schema: objectMeta() }));
  }
  for (const [key, property] of structural.properties) {
    if (fields.has(key)) continue;
    fields.set(key, {
      ...fieldOf(key, typeOf(`${name}.${key}`, property)),
      required: required.has(key),
      listType: property.type === 'array' ? property.listType : 'atomic',
      listMapKeys: property.listMapKeys,
      atomic: property.atomicMap,
      ...(property.default === undefined ? {} : { default: property.default }),
    });
  }
  return fields;
}

function fieldOf(name: string, value: ValueType): FieldSchema {
  return {
    name,
    value,
    required: false,
    listType: 'atomic',
    listMapKeys: [],
    atomic: false,
    patchStrategy: [],
    presence: 'pointer',
  };
}

function typeOf(name: string, structural: Structural): ValueType {
  if (structural.intOrString) return { type: 'scalar', scalar: 'int-or-string', goType: 'intstr.IntOrString' };
  if (structural.type === 'array')
    return { type: 'list', items: structural.items === undefined ? DEDUCED : typeOf(name, structural.items) };
  if (structural.type === 'object') return objectType(name, structural);
  const scalar = ownValue(SCALARS, structural.type);
  return scalar === undefined ? DEDUCED : { type: 'scalar', scalar: scalar[0], goType: scalar[1] };
}

function objectType(name: string, structural: Structural): ValueType {
  if (structural.additional !== undefined && structural.properties.size === 0) {
    return { type: 'map', values: structural.additional === 'any' ? DEDUCED : typeOf(name, structural.additional) };
  }
  if (structural.properties.size === 0 && !structural.embedded)
    return structural.preserve ? DEDUCED : { type: 'map', values: DEDUCED };
  const fields = fieldsOf(name, structural);
  return {
    type: 'object',
    schema: {
      name,
      goType: 'map[string]interface {}',
      atomic: structural.atomicMap,
      fields,
      open: structural.preserve,
    },
  };
}
