/**
 * The API as OpenAPI documents, made from the schemas. kubectl asks version 3 for `explain`, for how to merge lists, and
 * whether the server validates fields; version 2, also as protobuf, for lists of several kinds. Without descriptions: the facts only.
 *
 *     openApiV3Index(registry); // { paths: { 'apis/apps/v1': { serverRelativeURL: '/openapi/v3/apis/apps/v1?hash=...' } } }
 */
import { fnv32a, setOwnValue } from '#pkg/base';
import type { JsonObject } from '../json.ts';
import type { Registry } from '../registry/registry.ts';
import { type ServedResource, schemaDigest, schemaFor, servedResources } from '../schema/index.ts';
import { pathsOf, rootOf } from './paths.ts';
import { type DescribedResource, customSchemas } from './custom.ts';
import { type Dialect, definitions } from './schemas.ts';

export { OPENAPI_V2_PROTOBUF, asksForProtobuf, encodeOpenApiV2 } from './proto.ts';

const INFO = { title: 'Kubernetes', version: 'v1.36.2' };
const EXTRA_KINDS = ['DeleteOptions', 'Status', 'APIResourceList', 'APIGroup', 'WatchEvent'];

/** To be counted up when the documents change though the schemas do not. */
const REVISION = 1;

/** The document of `/openapi/v2`. Made anew each time, as all documents: they are large, and clients keep them. */
export function openApiV2(registry: Registry): JsonObject {
  const custom = customOf(registry);
  return {
    swagger: '2.0',
    info: INFO,
    paths: { ...pathsOf('v2', servedResources()), ...pathsOf('v2', custom) },
    definitions: { ...definitions('v2', rootsOf(servedResources())), ...schemasOf('v2', custom) },
  };
}

const CUSTOM_INFO = { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' };

/** Resources that users have defined. */
function customOf(registry: Registry): DescribedResource[] {
  return registry
    .all()
    .filter((resource): resource is typeof resource & DescribedResource => resource.custom !== undefined);
}

function schemasOf(dialect: Dialect, resources: readonly DescribedResource[]): JsonObject {
  return Object.fromEntries(resources.flatMap((resource) => Object.entries(customSchemas(dialect, resource))));
}

let index: JsonObject | undefined;

/**
 * `/openapi/v3`: the list of documents, each with the path it is served under. Clients keep a document for as long as the hash in
 * its path stays.
 */
export function openApiV3Index(registry: Registry): JsonObject {
  const all: JsonObject = { ...builtInIndex() };
  for (const [root, resources] of Map.groupBy(customOf(registry), rootOf)) {
    const shapes = resources.map(({ resource, subresources, custom }) => [resource, subresources, custom.published]);
    setOwnValue(all, root, {
      serverRelativeURL: `/openapi/v3/${root}?hash=${fnv32a(JSON.stringify(shapes)).toString(16).toUpperCase()}${REVISION}`,
    });
  }
  return { paths: all };
}

function builtInIndex(): JsonObject {
  if (index === undefined) {
    const hash = `${schemaDigest()}${REVISION}`;
    const paths: JsonObject = {};
    for (const root of byRoot().keys())
      setOwnValue(paths, root, { serverRelativeURL: `/openapi/v3/${root}?hash=${hash}` });
    index = paths;
  }
  return index;
}

/** The document of `/openapi/v3/<path>`, such as `apis/apps/v1`; undefined for an unknown path. */
export function openApiV3Document(path: string, registry: Registry): JsonObject | undefined {
  const resources = byRoot().get(path);
  if (resources === undefined)
    return customDocument(customOf(registry).filter((resource) => rootOf(resource) === path));
  return {
    openapi: '3.0.0',
    info: INFO,
    paths: pathsOf('v3', resources),
    components: { schemas: definitions('v3', rootsOf(resources)) },
  };
}

function customDocument(resources: readonly DescribedResource[]): JsonObject | undefined {
  if (resources.length === 0) return undefined;
  const schemas = { ...schemasOf('v3', resources), ...definitions('v3', [...rootsOf(resources), ...META_TYPES]) };
  return { openapi: '3.0.0', info: CUSTOM_INFO, paths: pathsOf('v3', resources), components: { schemas } };
}

/** What custom kinds refer to beside what their requests carry. */
const META_TYPES = ['ObjectMeta', 'ListMeta'].map((name) => `io.k8s.apimachinery.pkg.apis.meta.v1.${name}`);

let roots: ReadonlyMap<string, ServedResource[]> | undefined;

function byRoot(): ReadonlyMap<string, ServedResource[]> {
  roots ??= Map.groupBy(servedResources(), rootOf);
  return roots;
}

/** The types that requests and answers to these resources carry. */
function rootsOf(resources: readonly ServedResource[]): Set<string> {
  const names = new Set<string>();
  const add = (group: string, version: string, kind: string): void => {
    const name = schemaFor(group, version, kind)?.name;
    if (name !== undefined) names.add(name);
  };
  for (const kind of EXTRA_KINDS) add('', 'v1', kind);
  for (const { group, version, kind, subresources } of resources) {
    add(group, version, kind);
    add(group, version, `${kind}List`);
    for (const sub of subresources) add(sub.group ?? group, sub.version ?? version, sub.kind);
  }
  return names;
}
