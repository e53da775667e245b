/**
 * The API as OpenAPI documents, made from the schemas. kubectl asks version 3 for `explain`, for how to merge lists, and
 * whether the server validates fields; version 2 is there for older clients. Without descriptions: the facts only.
 *
 *     openApiV3Index(); // { paths: { 'apis/apps/v1': { serverRelativeURL: '/openapi/v3/apis/apps/v1?hash=...' } } }
 */
import type { JsonObject } from '../json.ts';
import { type ServedResource, schemaDigest, schemaFor, servedResources } from '../schema/index.ts';
import { pathsOf, rootOf } from './paths.ts';
import { definitions } from './schemas.ts';

const INFO = { title: 'Kubernetes', version: 'v1.36.2' };
const EXTRA_KINDS = ['DeleteOptions', 'Status', 'APIResourceList', 'APIGroup', 'WatchEvent'];

/** To be counted up when the documents change though the schemas do not. */
const REVISION = 1;

/** The document of `/openapi/v2`. Made anew each time, as all documents: they are large, and clients keep them. */
export function openApiV2(): JsonObject {
  return {
    swagger: '2.0',
    info: INFO,
    paths: pathsOf('v2', servedResources()),
    definitions: definitions('v2', rootsOf(servedResources())),
  };
}

let index: JsonObject | undefined;

/**
 * `/openapi/v3`: the list of documents, each with the path it is served under. Clients keep a document for as long as the hash in
 * its path stays.
 */
export function openApiV3Index(): JsonObject {
  if (index === undefined) {
    const hash = `${schemaDigest()}${REVISION}`;
    const paths: JsonObject = {};
    for (const root of byRoot().keys()) paths[root] = { serverRelativeURL: `/openapi/v3/${root}?hash=${hash}` };
    index = { paths };
  }
  return index;
}

/** The document of `/openapi/v3/<path>`, such as `apis/apps/v1`; undefined for an unknown path. */
export function openApiV3Document(path: string): JsonObject | undefined {
  const resources = byRoot().get(path);
  if (resources === undefined) return undefined;
  return {
    openapi: '3.0.0',
    info: INFO,
    paths: pathsOf('v3', resources),
    components: { schemas: definitions('v3', rootsOf(resources)) },
  };
}

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
