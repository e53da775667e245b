import { setOwnValue } from '#pkg/base';
import { type JsonObject, cloneJson, isJsonObject, listAt, objectAt, objectsAt } from '../json.ts';
import type { ServedResource } from '../schema/index.ts';
import type { Dialect } from './schemas.ts';

/** What the documents need of a resource that a definition defines. */
export interface DescribedResource extends ServedResource {
  readonly schema: { readonly name: string };
  readonly custom: { readonly published: Readonly<JsonObject>; readonly fields: ReadonlyMap<string, unknown> };
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/** The schemas of a custom kind and of its list, by name (`apiextensions-apiserver/pkg/controller/openapi/builder`). */
export function customSchemas(dialect: Dialect, resource: DescribedResource): JsonObject {
  const { group, version, kind, schema, custom } = resource;
  const types = (name: string): JsonObject => ({ 'x-kubernetes-group-version-kind': [{ group, kind: name, version }] });
  const fields = Array.from(custom.fields.keys(), (fieldPath) => ({ fieldPath }));
  const selectable = fields.length === 0 ? {} : { 'x-kubernetes-selectable-fields': fields };
  const item = { $ref: `#/${place(dialect)}/${schema.name}` };
  const list = {
    description: `${kind}List is a list of ${kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: STRING,
      items: { type: 'array', items: item },
      kind: STRING,
      metadata: reference(dialect, 'ListMeta'),
    },
  };
  return {
    [schema.name]: { ...publishedSchema(dialect, custom.published), ...types(kind), ...selectable },
    [`${schema.name}List`]: { ...list, ...types(`${kind}List`), ...selectable },
  };
}

const STRING: JsonObject = { type: 'string' };
const place = (dialect: Dialect): string => (dialect === 'v2' ? 'definitions' : 'components/schemas');

function reference(dialect: Dialect, name: string): JsonObject {
  const ref = { $ref: `#/${place(dialect)}/${META}.${name}` };
  return dialect === 'v2' ? ref : { allOf: [ref] };
}

/** The definition's own schema, with what every object has besides. */
function publishedSchema(dialect: Dialect, source: Readonly<JsonObject>): JsonObject {
  // kubectl would take a list of fields for all there are.
  if (dialect === 'v2' && source['x-kubernetes-preserve-unknown-fields'] === true) return { type: 'object' };
  const schema = published(dialect, cloneJson<JsonObject>(source));
  schema['properties'] = {
    ...objectAt(schema, 'properties'),
    apiVersion: STRING,
    kind: STRING,
    metadata: reference(dialect, 'ObjectMeta'),
  };
  return schema;
}

function published(dialect: Dialect, schema: JsonObject): JsonObject {
  const properties = objectAt(schema, 'properties');
  if (properties !== undefined)
    for (const [key, child] of Object.entries(properties))
      if (isJsonObject(child)) setOwnValue(properties, key, published(dialect, child));
  for (const key of ['items', 'additionalProperties']) {
    const child = objectAt(schema, key);
    if (child !== undefined) setOwnValue(schema, key, published(dialect, child));
  }
  if (dialect === 'v2') simplify(schema);
  else if (schema['x-kubernetes-int-or-string'] === true && objectsAt(schema, 'anyOf').length === 0)
    schema['anyOf'] = [{ type: 'integer' }, STRING];
  if (
    schema['x-kubernetes-embedded-resource'] === true &&
    !(dialect === 'v2' && schema['x-kubernetes-preserve-unknown-fields'] === true)
  )
    embed(dialect, schema);
  return schema;
}

function embed(dialect: Dialect, schema: JsonObject): void {
  schema['properties'] = {
    ...objectAt(schema, 'properties'),
    apiVersion: STRING,
    kind: STRING,
    metadata: reference(dialect, 'ObjectMeta'),
  };
  schema['required'] = [...new Set([...listAt(schema, 'required'), 'kind', 'apiVersion'])];
}

/** Takes away what version 2 cannot say, or what its readers stumble over (`pkg/controller/openapi/v2`). */
function simplify(schema: JsonObject): void {
  for (const key of ['allOf', 'oneOf', 'anyOf', 'not', 'default']) delete schema[key];
  const required = listAt(schema, 'required').filter(
    (key) => objectAt(objectAt(schema, 'properties'), String(key))?.['type'] !== undefined,
  );
  if (listAt(schema, 'required').length > required.length) {
    if (required.length === 0) delete schema['required'];
    else schema['required'] = required;
  }
  const preserving = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const nullable = schema['nullable'] === true;
  delete schema['nullable'];
  if (nullable || preserving) {
    delete schema['items'];
    delete schema['properties'];
  }
  if (
    nullable ||
    (preserving && schema['type'] === 'object') ||
    (schema['items'] === undefined && schema['type'] === 'array')
  )
    delete schema['type'];
}
