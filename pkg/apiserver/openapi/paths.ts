import { ownValue, setOwnValue } from '#pkg/base';
import type { JsonObject } from '../json.ts';
import { type ObjectType, type ServedResource, schemaFor } from '../schema/index.ts';
import type { Dialect } from './schemas.ts';

interface Endpoint {
  readonly path: string;
  readonly verbs: readonly string[];
  readonly kind: DescribedKind;
  /** Whether the path names one object. */
  readonly item: boolean;
  readonly namespaced: boolean;
}

/** A kind, with its schema's name where that is not in the tables. */
type DescribedKind = ObjectType & { readonly schema?: { readonly name: string }; readonly custom?: object };

const METHODS: Readonly<Record<string, { method: string; action: string }>> = {
  get: { method: 'get', action: 'get' },
  list: { method: 'get', action: 'list' },
  create: { method: 'post', action: 'post' },
  update: { method: 'put', action: 'put' },
  patch: { method: 'patch', action: 'patch' },
  delete: { method: 'delete', action: 'delete' },
  deletecollection: { method: 'delete', action: 'deletecollection' },
};
const ITEM_VERBS = new Set(['get', 'update', 'patch', 'delete']);
const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
const WRITE_PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation'];
const LIST_PARAMETERS: readonly string[] = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'timeoutSeconds',
  'watch',
];
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  list: LIST_PARAMETERS,
  post: WRITE_PARAMETERS,
  put: WRITE_PARAMETERS,
  patch: [...WRITE_PARAMETERS, 'force'],
  delete: ['dryRun', 'gracePeriodSeconds', 'orphanDependents', 'propagationPolicy'],
  deletecollection: [...LIST_PARAMETERS, 'dryRun', 'gracePeriodSeconds', 'propagationPolicy'],
};
const TYPES: Readonly<Record<string, string>> = {
  allowWatchBookmarks: 'boolean',
  force: 'boolean',
  gracePeriodSeconds: 'integer',
  limit: 'integer',
  orphanDependents: 'boolean',
  sendInitialEvents: 'boolean',
  timeoutSeconds: 'integer',
  watch: 'boolean',
};

export function rootOf({ group, version }: Pick<ObjectType, 'group' | 'version'>): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

/** The paths of resources, with what each request may carry. kubectl looks here for `fieldValidation`. */
export function pathsOf(dialect: Dialect, resources: readonly ServedResource[]): JsonObject {
  const paths: JsonObject = {};
  for (const endpoint of resources.flatMap(endpointsOf)) {
    const operations: JsonObject = {};
    for (const verb of endpoint.verbs) {
      const known = ownValue(METHODS, verb);
      if (known !== undefined) setOwnValue(operations, known.method, operation(dialect, endpoint, known.action));
    }
    const names = [...(endpoint.namespaced ? ['namespace'] : []), ...(endpoint.item ? ['name'] : [])];
    setOwnValue(paths, endpoint.path, {
      ...operations,
      parameters: names.map((name) => parameter(dialect, name, 'path')),
    });
  }
  return paths;
}

function endpointsOf(resource: ServedResource): Endpoint[] {
  const root = `/${rootOf(resource)}${resource.namespaced ? '/namespaces/{namespace}' : ''}/${resource.resource}`;
  const common = { kind: resource, namespaced: resource.namespaced };
  const endpoints: Endpoint[] = [
    { ...common, path: root, item: false, verbs: resource.verbs.filter((verb) => !ITEM_VERBS.has(verb)) },
    { ...common, path: `${root}/{name}`, item: true, verbs: resource.verbs.filter((verb) => ITEM_VERBS.has(verb)) },
    ...resource.subresources.map(({ name, kind, group, version, verbs }): Endpoint => ({
      path: `${root}/{name}/${name}`,
      item: true,
      namespaced: resource.namespaced,
      verbs,
      kind:
        kind === resource.kind && group === undefined
          ? resource
          : { group: group ?? resource.group, version: version ?? resource.version, kind },
    })),
  ];
  if (resource.namespaced && resource.verbs.includes('list')) {
    endpoints.push({
      ...common,
      namespaced: false,
      path: `/${rootOf(resource)}/${resource.resource}`,
      item: false,
      verbs: ['list'],
    });
  }
  return endpoints.filter(({ verbs }) => verbs.length > 0);
}

function operation(dialect: Dialect, { kind, path }: Endpoint, action: string): JsonObject {
  const { group, version } = kind;
  const body = bodyOf(dialect, kind, action);
  const parameters = (ownValue(PARAMETERS, action) ?? []).map((name) => parameter(dialect, name, 'query'));
  const inBody =
    dialect === 'v2' && body !== undefined ? [{ name: 'body', in: 'body', required: true, schema: body }] : [];
  const answer = schemaReference(dialect, kind) ?? { type: 'object' };
  return {
    operationId: `${action}${path.replace(/[^A-Za-z0-9]+(.?)/g, (_, next: string) => next.toUpperCase())}`,
    parameters: [...inBody, ...parameters],
    ...(dialect === 'v3' && body !== undefined ? { requestBody: { content: contentOf(kind, action, body) } } : {}),
    responses: {
      200: {
        description: 'OK',
        ...(dialect === 'v2' ? { schema: answer } : { content: { 'application/json': { schema: answer } } }),
      },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, version, kind: kind.kind },
  };
}

function contentOf({ custom }: DescribedKind, action: string, schema: JsonObject): JsonObject {
  const patches = custom === undefined ? PATCH_TYPES : PATCH_TYPES.filter((type) => !type.includes('strategic'));
  const types = action === 'patch' ? patches : ['*/*'];
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

function bodyOf(dialect: Dialect, kind: DescribedKind, action: string): JsonObject | undefined {
  if (action === 'patch') return { type: 'object' };
  return action === 'post' || action === 'put' ? schemaReference(dialect, kind) : undefined;
}

function schemaReference(
  dialect: Dialect,
  { group, version, kind, schema: own }: DescribedKind,
): JsonObject | undefined {
  const schema = own ?? schemaFor(group, version, kind);
  return schema === undefined
    ? undefined
    : { $ref: `#/${dialect === 'v2' ? 'definitions' : 'components/schemas'}/${schema.name}` };
}

function parameter(dialect: Dialect, name: string, place: 'path' | 'query'): JsonObject {
  const type = ownValue(TYPES, name) ?? 'string';
  const base = { name, in: place, ...(place === 'path' ? { required: true } : {}) };
  return dialect === 'v2' ? { ...base, type, uniqueItems: true } : { ...base, schema: { type, uniqueItems: true } };
}
