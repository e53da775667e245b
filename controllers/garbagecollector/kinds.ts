import { type OwnerReference, type ResourceType, apiVersionOf } from '#pkg/api';
import type { DiscoveredResource, Discovery } from '#pkg/client';

import { CollectorError } from './errors.ts';

/** Objects of these last no longer than they are told, belong to nobody, and are many (`DefaultIgnoredResources`). */
const IGNORED = new Set(['events', 'events.events.k8s.io']);

/** What the server serves, as far as it said so last: which resource a kind is of, and what can be collected. */
export class Kinds {
  #resources: readonly DiscoveredResource[] = [];
  #byKind = new Map<string, DiscoveredResource>();

  /** What could not be asked about stays as it was. */
  learn({ resources, failed }: Discovery): void {
    const kept = this.#resources.filter((resource) => failed.has(apiVersionOf(resource)));
    const fresh = new Set(resources.map(nameOf));
    this.#resources = [...resources, ...kept.filter((resource) => !fresh.has(nameOf(resource)))];
    this.#byKind = new Map();
    for (const resource of this.#resources) {
      const key = keyOf(apiVersionOf(resource), resource.kind);
      if (!this.#byKind.has(key)) this.#byKind.set(key, resource);
    }
  }

  /** The resource of that kind; throws `UnknownKind`. */
  resourceOf({ apiVersion, kind }: Pick<OwnerReference, 'apiVersion' | 'kind'>): ResourceType {
    const resource = this.#byKind.get(keyOf(apiVersion, kind));
    if (resource === undefined)
      throw new CollectorError('UnknownKind', `unable to get REST mapping for ${apiVersion}/${kind}.`, {
        apiVersion,
        kind,
      });
    return resource;
  }
}

const keyOf = (apiVersion: string, kind: string): string => `${apiVersion} ${kind}`;
export const nameOf = (resource: Pick<ResourceType, 'group' | 'version' | 'resource'>): string =>
  `${resource.group}/${resource.version}/${resource.resource}`;

/** What can be deleted and kept up with, each in its preferred version (`GetDeletableResources`). */
export function collectable({ resources }: Pick<Discovery, 'resources'>): ResourceType[] {
  return resources
    .filter(({ group, resource, verbs, preferred }) => {
      const name = group === '' ? resource : `${resource}.${group}`;
      return preferred && !IGNORED.has(name) && ['delete', 'list', 'watch'].every((verb) => verbs.includes(verb));
    })
    .map(({ group, version, resource, kind, namespaced }) => ({ group, version, resource, kind, namespaced }));
}
