import { ownValue } from '#pkg/base';
import { type ResourceType, apiVersionOf } from '#pkg/api';

import type { DeleteOptions, ListOptions, PatchOptions, PatchType, WatchOptions, WriteOptions } from './client.ts';

/** `/api/v1/namespaces/default/pods/web/status`: where a resource, or one object of it, is served. */
export function resourcePath(
  type: ResourceType,
  place: { readonly namespace?: string; readonly name?: string; readonly subresource?: string },
): string {
  let path = `${type.group === '' ? '/api' : '/apis'}/${apiVersionOf(type)}`;
  if (type.namespaced && place.namespace) path += `/namespaces/${segment('namespace', place.namespace)}`;
  path += `/${type.resource}`;
  if (place.name !== undefined) path += `/${segment('name', place.name)}`;
  if (place.subresource) path += `/${place.subresource}`;
  return path;
}

/** The path of one object; refuses a missing namespace or name, which would address something else entirely. */
export function objectPath(
  type: ResourceType,
  object: { readonly namespace?: string; readonly name: string },
  subresource?: string,
): string {
  if (!object.name) throw new RangeError(`${type.resource}: a name is required`);
  if (type.namespaced && !object.namespace) {
    throw new RangeError(`${type.resource} ${JSON.stringify(object.name)}: a namespace is required`);
  }
  return resourcePath(type, { ...object, ...(subresource ? { subresource } : {}) });
}

/** Names that are legal in a path (`IsValidPathSegmentName` of apimachinery). */
function segment(what: string, value: string): string {
  if (value === '.' || value === '..' || /[/%]/.test(value)) {
    throw new RangeError(`invalid ${what} ${JSON.stringify(value)}: may not be "." or "..", or contain "/" or "%"`);
  }
  return encodeURIComponent(value);
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** `?a=1&b=x`, keys in the order given; what is undefined is left out. */
export function queryString(query: Query): string {
  let text = '';
  for (const key in query) {
    const value = ownValue(query, key);
    if (value !== undefined) text += `${text === '' ? '?' : '&'}${key}=${encodeURIComponent(value)}`;
  }
  return text;
}

function selectionQuery(options: Omit<ListOptions, 'limit' | 'continue'>): Query {
  return {
    labelSelector: options.labelSelector || undefined,
    fieldSelector: options.fieldSelector || undefined,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: options.resourceVersionMatch,
  };
}

export function listPath(type: ResourceType, options: ListOptions): string {
  const query = { ...selectionQuery(options), limit: options.limit, continue: options.continue || undefined };
  return collectionPath(type, options.namespace) + queryString(query);
}

export function watchPath(type: ResourceType, options: WatchOptions): string {
  const query = {
    ...selectionQuery(options),
    watch: true,
    allowWatchBookmarks: options.allowWatchBookmarks,
    sendInitialEvents: options.sendInitialEvents,
    timeoutSeconds: options.timeoutSeconds,
  };
  return collectionPath(type, options.namespace) + queryString(query);
}

export function collectionPath(type: ResourceType, namespace: string | undefined): string {
  return resourcePath(type, namespace === undefined ? {} : { namespace });
}

export function createPath(type: ResourceType, namespace: string | undefined, options: WriteOptions): string {
  if (type.namespaced && !namespace) throw new RangeError(`${type.resource}: a namespace is required to create one`);
  return collectionPath(type, namespace) + writeQuery(options);
}

export function writeQuery(options: WriteOptions): string {
  return queryString({ dryRun: options.dryRun ? 'All' : undefined, fieldManager: options.fieldManager });
}

export function patchQuery(options: PatchOptions): string {
  return queryString({
    dryRun: options.dryRun ? 'All' : undefined,
    fieldManager: options.fieldManager,
    force: options.force,
  });
}

export const PATCH_CONTENT_TYPES: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  // JSON is YAML, and every server version knows this name.
  apply: 'application/apply-patch+yaml',
};

/** The body of a deletion; undefined fields fall out when it is written. */
export function deleteBody(options: DeleteOptions): object {
  return {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    gracePeriodSeconds: options.gracePeriodSeconds,
    propagationPolicy: options.propagationPolicy,
    preconditions: options.preconditions,
    dryRun: options.dryRun ? ['All'] : undefined,
  };
}

const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const METADATA_ONLY_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/** What to accept: the object itself, or its metadata alone (KEP-555 server-side transformations). */
export function acceptHeader(metadataOnly: boolean | undefined, list: boolean): string {
  if (!metadataOnly) return 'application/json';
  return list ? METADATA_ONLY_LIST : METADATA_ONLY;
}
