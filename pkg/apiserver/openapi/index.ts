import type { JsonObject } from '../json.ts';

/** The document of `/openapi/v2`. */
export function openApiV2(): JsonObject {
  return { swagger: '2.0', info: { title: 'Kubernetes', version: 'v1.36.2' }, paths: {}, definitions: {} };
}

/** `/openapi/v3`: the list of documents, each with the path it is served under. */
export function openApiV3Index(): JsonObject {
  return { paths: {} };
}

/** The document of `/openapi/v3/<path>`, such as `apis/apps/v1`; undefined for an unknown path. */
export function openApiV3Document(_path: string): JsonObject | undefined {
  return undefined;
}
