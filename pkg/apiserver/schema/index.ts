/**
 * The shape of every served kind, as data: fields and types, how lists and maps merge, and what is served under which
 * path. Facts only; what a value must satisfy beyond its type is in `validation`, what is filled in is in `defaults`.
 *
 *     const schema = schemaFor('apps', 'v1', 'Deployment');
 *     schema?.fields.get('spec')?.value; // { type: 'object', schema: ... DeploymentSpec }
 */
export { allSchemas, schemaDigest, schemaFor, servedResources } from './load.ts';
export type {
  FieldSchema,
  ObjectSchema,
  ObjectType,
  ScalarKind,
  ServedResource,
  ServedSubresource,
  ValueType,
} from './types.ts';
