import { setOwnValue } from '#pkg/base';
import type { JsonObject } from '../json.ts';
import { type FieldSchema, type ObjectSchema, type ValueType, allSchemas } from '../schema/index.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
/** Scalars that have a name of their own in the documents. */
const NAMED: Readonly<Record<string, { name: string; schema: JsonObject; schemaV3?: JsonObject }>> = {
  time: { name: `${META}.Time`, schema: { type: 'string', format: 'date-time' } },
  'micro-time': { name: `${META}.MicroTime`, schema: { type: 'string', format: 'date-time' } },
  quantity: {
    name: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
    schema: { type: 'string' },
    schemaV3: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  },
  'int-or-string': {
    name: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    schema: { type: 'string', format: 'int-or-string' },
    schemaV3: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  },
};

export type Dialect = 'v2' | 'v3';

interface Writer {
  readonly dialect: Dialect;
  /** Called with each struct that is referred to. */
  readonly refer: (name: string) => void;
}

let structs: ReadonlyMap<string, ObjectSchema> | undefined;
let groupsOf: ReadonlyMap<string, JsonObject[]> | undefined;

function structNamed(name: string): ObjectSchema | undefined {
  structs ??= new Map(allSchemas().structs.map((schema) => [schema.name, schema]));
  return structs.get(name);
}

function kindsNamed(name: string): JsonObject[] | undefined {
  if (groupsOf === undefined) {
    const all = new Map<string, JsonObject[]>();
    for (const [path, long] of allSchemas().kinds) {
      const parts = path.split('/');
      const [kind, version, group = ''] = parts.toReversed() as [string, string, string?];
      all.set(long, [...(all.get(long) ?? []), { group, kind, version }]);
    }
    groupsOf = all;
  }
  return groupsOf.get(name);
}

/** The definitions of the types named and of all that they refer to. */
export function definitions(dialect: Dialect, roots: Iterable<string>): JsonObject {
  const result: JsonObject = {};
  const pending = Array.from(roots);
  const refer = (name: string): void => {
    if (!Object.hasOwn(result, name)) pending.push(name);
  };
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (!Object.hasOwn(result, name)) setOwnValue(result, name, definition({ dialect, refer }, name));
  }
  return Object.fromEntries(Object.entries(result).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function definition(writer: Writer, name: string): JsonObject {
  const scalar = Object.values(NAMED).find((one) => one.name === name);
  if (scalar !== undefined) return (writer.dialect === 'v3' ? scalar.schemaV3 : undefined) ?? scalar.schema;
  const struct = structNamed(name);
  // Raw extensions and the like take anything.
  if (struct === undefined) return { type: 'object' };
  const fields = Array.from(struct.fields.values());
  const required = fields.filter((field) => field.required).map((field) => field.name);
  const kinds = kindsNamed(name);
  return {
    type: 'object',
    ...(required.length === 0 ? {} : { required }),
    properties: Object.fromEntries(fields.map((field) => [field.name, property(writer, field)])),
    ...(struct.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(kinds === undefined ? {} : { 'x-kubernetes-group-version-kind': kinds }),
  };
}

function property(writer: Writer, field: FieldSchema): JsonObject {
  const schema = typeSchema(writer, field.value);
  if (field.enum !== undefined) {
    if (field.value.type === 'list') schema['items'] = { ...(schema['items'] as JsonObject), enum: field.enum };
    else schema['enum'] = field.enum;
  }
  if (field.value.type === 'list') {
    schema['x-kubernetes-list-type'] = field.listType;
    if (field.listMapKeys.length > 0) schema['x-kubernetes-list-map-keys'] = field.listMapKeys;
  } else if (field.atomic) schema['x-kubernetes-map-type'] = 'atomic';
  if (field.patchMergeKey !== undefined) schema['x-kubernetes-patch-merge-key'] = field.patchMergeKey;
  if (field.patchStrategy.length > 0) schema['x-kubernetes-patch-strategy'] = field.patchStrategy.join(',');
  if (writer.dialect === 'v3') {
    if (field.default !== undefined) schema['default'] = field.default;
    else if (field.presence === 'always' && field.value.type === 'object') schema['default'] = {};
  }
  return schema;
}

function typeSchema(writer: Writer, type: ValueType): JsonObject {
  switch (type.type) {
    case 'any':
      return { type: 'object' };
    case 'list':
      return { type: 'array', items: typeSchema(writer, type.items) };
    case 'map':
      return { type: 'object', additionalProperties: typeSchema(writer, type.values) };
    case 'object':
      return reference(writer, type.schema.name);
    case 'scalar': {
      const named = NAMED[type.scalar];
      if (named !== undefined) return reference(writer, named.name);
      return scalarSchema(type.scalar);
    }
  }
}

/** In version 3 a reference stands in `allOf`, so that other facts may stand beside it. */
function reference(writer: Writer, name: string): JsonObject {
  writer.refer(name);
  if (writer.dialect === 'v2') return { $ref: `#/definitions/${name}` };
  return { allOf: [{ $ref: `#/components/schemas/${name}` }] };
}

function scalarSchema(scalar: string): JsonObject {
  switch (scalar) {
    case 'int32':
    case 'int64':
      return { type: 'integer', format: scalar };
    case 'double':
      return { type: 'number', format: 'double' };
    case 'boolean':
      return { type: 'boolean' };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    default:
      return { type: 'string' };
  }
}
