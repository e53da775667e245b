import { ownValue, setOwnValue } from '#pkg/base';

/**
 * What the API server fills in when it decodes an object (`pkg/apis/<group>/<version>/defaults.go`, and what the conversion to
 * its internal types adds), so that what is stored says all that holds.
 *
 *     applyDefaults('apps', 'v1', 'Deployment', deployment); // replicas 1, RollingUpdate 25 %, ...
 *
 * Not what admission or the registry gives (priority, cluster IPs): that needs to know other objects.
 */
import { canonicalQuantity, formatQuantity, parseQuantity } from '../decode/index.ts';
import { type JsonObject, isJsonObject } from '../json.ts';
import { type FieldSchema, type ObjectSchema, type ValueType, schemaFor } from '../schema/index.ts';
import { clusterDefaults } from './cluster.ts';
import { coreDefaults } from './core.ts';
import { isEmpty } from './fill.ts';
import { podDefaults } from './pods.ts';
import { workloadDefaults } from './workloads.ts';

/** Defaults by the short name of the struct they belong to, `core.v1.Container`; a struct's come before its fields'. */
const DEFAULTS: Readonly<Record<string, (object: JsonObject) => void>> = {
  ...workloadDefaults,
  ...podDefaults,
  ...coreDefaults,
  ...clusterDefaults,
};

/** Fills in, in place, the defaults of the kind. */
export function applyDefaults(group: string, version: string, kind: string, object: JsonObject): void {
  const schema = schemaFor(group, version, kind);
  if (schema !== undefined) fillStruct(schema, object);
}

function fillStruct(schema: ObjectSchema, object: JsonObject): void {
  ownValue(DEFAULTS, shortName(schema))?.(object);
  for (const field of relevantFields(schema)) {
    const value = ownValue(object, field.name);
    if (field.default !== undefined && isEmpty(value)) setOwnValue(object, field.name, field.default);
    else if (value !== undefined && value !== null) fillValue(field.value, value);
  }
}

function fillValue(type: ValueType, value: unknown): void {
  if (type.type === 'object' && isJsonObject(value)) fillStruct(type.schema, value);
  else if (type.type === 'list' && Array.isArray(value)) for (const item of value) fillValue(type.items, item);
  else if (type.type === 'map' && isJsonObject(value)) {
    if (isQuantity(type.values)) roundToMilli(value);
    else for (const item of Object.values(value)) fillValue(type.values, item);
  }
}

function isQuantity(type: ValueType): boolean {
  return type.type === 'scalar' && type.scalar === 'quantity';
}

const MILLI = 1_000_000n;

/** Amounts of resources finer than a thousandth are rounded up (`SetDefaults_ResourceList`). */
function roundToMilli(list: JsonObject): void {
  for (const [name, text] of Object.entries(list)) {
    if (typeof text !== 'string' || !/[nu]$/.test(text)) continue;
    const quantity = parseQuantity(text);
    if (quantity === undefined) continue;
    const rest = ((quantity.nano % MILLI) + MILLI) % MILLI;
    setOwnValue(
      list,
      name,
      rest === 0n ? canonicalQuantity(text) : formatQuantity({ ...quantity, nano: quantity.nano - rest + MILLI }),
    );
  }
}

const relevant = new WeakMap<ObjectSchema, readonly FieldSchema[]>();

/** The fields that have, or lead to, a default. Most of an object leads to none. */
function relevantFields(schema: ObjectSchema): readonly FieldSchema[] {
  let fields = relevant.get(schema);
  if (fields === undefined) {
    relevant.set(schema, []);
    fields = [...schema.fields.values()].filter((field) => field.default !== undefined || leadsToDefault(field.value));
    relevant.set(schema, fields);
  }
  return fields;
}

function leadsToDefault(type: ValueType): boolean {
  switch (type.type) {
    case 'list':
      return leadsToDefault(type.items);
    case 'map':
      return isQuantity(type.values) || leadsToDefault(type.values);
    case 'object':
      return ownValue(DEFAULTS, shortName(type.schema)) !== undefined || relevantFields(type.schema).length > 0;
    case 'scalar':
    case 'any':
      return false;
  }
}

function shortName(schema: ObjectSchema): string {
  return schema.name.split('.').slice(-3).join('.');
}
