import { type KubeObject, type ResourceType, groupResource } from '#pkg/api';
import { type InformerFactory, type InformerOptions, keepFields } from '#pkg/cache';

/** What a controller reads of one resource, from the caches. Metadata is always there. */
export interface Reads {
  readonly resource: ResourceType;
  /** Paths of fields, each with all that is below it: `status.conditions`. The whole object where missing. */
  readonly fields?: readonly string[];
}

/** `reads(resources.pods, 'spec.nodeName', 'status.phase')`; without fields, objects are kept whole. */
export function reads(resource: ResourceType, ...fields: readonly string[]): Reads {
  return fields.length === 0 ? { resource } : { resource, fields };
}

/** A controller's description, as far as it matters here. */
interface Declaring {
  readonly name: string;
  readonly reads?: readonly Reads[];
}

/**
 * The fields of each resource (`pods`, `deployments.apps`) that some of these controllers read; undefined where one of
 * them reads whole objects. A controller that declares nothing may read anything, so that nothing is known then.
 */
export function fieldsRead(definitions: readonly Declaring[]): ReadonlyMap<string, readonly string[] | undefined> {
  const fields = new Map<string, readonly string[] | undefined>();
  if (definitions.some((definition) => definition.reads === undefined)) return fields;
  for (const { resource, fields: own } of definitions.flatMap((definition) => definition.reads ?? [])) {
    const name = groupResource(resource);
    const known = fields.get(name);
    if (own === undefined || (fields.has(name) && known === undefined)) fields.set(name, undefined);
    else fields.set(name, [...new Set([...(known ?? []), ...own])].toSorted());
  }
  return fields;
}

/**
 * Informers that keep only what these controllers, all that share `factory`, read together. One cache serves all of
 * them, so that what is kept cannot be the choice of any one. Throws for a resource that nobody declared.
 */
export function projectedInformers(factory: InformerFactory, definitions: readonly Declaring[]): InformerFactory {
  const fields = fieldsRead(definitions);
  if (fields.size === 0) return factory;
  const transforms = new Map<string, (object: KubeObject) => KubeObject>();
  for (const [name, kept] of fields) if (kept) transforms.set(name, keepFields(...kept));

  function informer<T extends KubeObject>(
    resource: ResourceType<T>,
    options?: InformerOptions<T>,
  ): ReturnType<typeof factory.informer<T>> {
    const name = groupResource(resource);
    if (!fields.has(name)) throw new RangeError(`no controller declares that it reads ${name}`);
    const transform = transforms.get(name) as InformerOptions<T>['transform'];
    return factory.informer(resource, transform ? { ...options, transform } : options);
  }

  return {
    informer,
    metadataInformer: (resource) => factory.metadataInformer(resource),
    existing: (resource) => factory.existing(resource),
    follow: (resource, follower, signal) => factory.follow(resource, follower, signal),
    start: (signal) => factory.start(signal),
    waitForCacheSync: (signal) => factory.waitForCacheSync(signal),
    shutdown: () => factory.shutdown(),
  };
}
