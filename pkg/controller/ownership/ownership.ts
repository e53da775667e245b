import { type KubeObject, type ObjectKey, type ResourceType, keyOf, resources } from '#pkg/api';
import type { ReadOptions, ResourceClient, WriteOptions } from '#pkg/client';

import type { ControllerContext } from '../definition/definition.ts';
import { type Trigger, forObject } from '../source/triggers.ts';
import { ConsistencyStore } from './consistency-store.ts';
import type { Expectations } from './expectations.ts';
import { OwnedObjects, type OwnedObjectsOptions } from './owned-objects.ts';
import { OwnedPods, type OwnedPodsOptions } from './owned-pods.ts';
import { OwnedWrites, type OwnedWritesParts, type RecordWrite } from './owned-writes.ts';
import { Owners, type OwnersOptions, type SelectorOf } from './owners.ts';

/** What ownership takes from a controller's context. */
export type OwnershipContext = Pick<
  ControllerContext,
  'client' | 'informers' | 'recorder' | 'clock' | 'log' | 'metrics'
>;

export interface OwnershipOptions<Owner extends KubeObject> extends OwnersOptions {
  /** Counts owners that waited for caches in `<subsystem>_stale_sync_skips_total`. */
  readonly subsystem?: string;
  /** Whether an owner waits until the caches have read what was written for it; true where missing. */
  readonly readYourWrites?: boolean;
  /** A function that lives as long as the program; `spec.selector` where missing, {@link noSelector} where nothing is adopted. */
  readonly selector?: SelectorOf<Owner>;
}

/**
 * The owners of one controller, and through {@link Ownership.owns} what they manage. All requests made through it are
 * recorded in one {@link ConsistencyStore}, which the loop is given.
 */
export class Ownership<Owner extends KubeObject> extends Owners<Owner> {
  /** Undefined where nobody waits for caches. */
  readonly consistency: ConsistencyStore | undefined;
  readonly #context: OwnershipContext;
  readonly #client: ResourceClient<Owner>;
  readonly #expectations: Expectations[] = [];
  readonly #record: RecordWrite = (owner, resource, { metadata }) =>
    this.consistency?.wroteAt(keyOf(owner), owner.metadata.uid, resource, metadata.resourceVersion);

  constructor(context: OwnershipContext, resource: ResourceType<Owner>, options: OwnershipOptions<Owner> = {}) {
    const { subsystem, readYourWrites = true, selector, ...rest } = options;
    const informer = context.informers.informer(resource);
    super(informer, selector, rest);
    this.#context = context;
    this.#client = context.client.resource(resource);
    const counting = subsystem === undefined ? {} : { metrics: context.metrics, subsystem };
    this.consistency = readYourWrites ? new ConsistencyStore({ informers: [informer], ...counting }) : undefined;
  }

  /** The objects of `resource` that the owners manage. Asks for its informer and indexes it. */
  owns<T extends KubeObject>(
    resource: ResourceType<T>,
    options?: OwnedObjectsOptions<Owner, T>,
  ): OwnedObjects<Owner, T> {
    const owned = new OwnedObjects({ ...this.#parts(resource), owners: this }, options);
    this.#expectations.push(owned.expectations);
    return owned;
  }

  /** Owns as `owns` does, for Pods: with their creation and deletion as events of the owner. */
  ownsPods(options?: OwnedPodsOptions<Owner>): OwnedPods<Owner> {
    const owned = new OwnedPods({ ...this.#parts(resources.pods), owners: this }, options);
    this.#expectations.push(owned.expectations);
    return owned;
  }

  /** For objects that the controller writes on behalf of an owner which does not manage them. */
  writes<T extends KubeObject>(resource: ResourceType<T>): OwnedWrites<Owner, T> {
    return new OwnedWrites(this.#parts(resource));
  }

  /** Every change of an owner enqueues it; of one that is gone everything is forgotten, and `onDelete` is called. */
  trigger({ onDelete }: { readonly onDelete?: (owner: Owner) => void } = {}): Trigger<Owner> {
    return forObject(this.resource, {
      onDelete: (owner) => {
        this.forget(keyOf(owner), owner.metadata.uid);
        onDelete?.(owner);
      },
    });
  }

  /** The owner is gone: another one of its name starts clean. */
  forget(owner: ObjectKey, uid?: string): void {
    this.consistency?.clear(owner, uid);
    this.forgetExpectations(owner);
  }

  /** Nothing is expected of the owner's dependents any more; its writes are still awaited. */
  forgetExpectations(owner: ObjectKey): void {
    for (const expectations of this.#expectations) expectations.forget(owner);
  }

  /** Reads the owner from the server. */
  getLive(owner: Owner, options?: ReadOptions): Promise<Owner> {
    return this.#client.get(owner.metadata, options);
  }

  update(owner: Owner, options?: WriteOptions): Promise<Owner> {
    return this.#recorded(owner, this.#client.update(owner, options));
  }

  updateStatus(owner: Owner, options?: WriteOptions): Promise<Owner> {
    return this.#recorded(owner, this.#client.updateStatus(owner, options));
  }

  #parts<T extends KubeObject>(
    resource: ResourceType<T>,
  ): OwnedWritesParts<T> & { readonly context: OwnershipContext } {
    const informer = this.#context.informers.informer(resource);
    this.consistency?.track(informer);
    return { context: this.#context, informer, record: this.#record };
  }

  async #recorded(owner: Owner, request: Promise<Owner>): Promise<Owner> {
    const written = await request;
    this.#record(owner, this.resource, written);
    return written;
  }
}

/**
 * What a controller of `resource` needs to own objects of other kinds:
 *
 *     const deployments = ownership(context, resources.deployments, { subsystem: 'deployment_controller' });
 *     const replicaSets = deployments.owns(resources.replicaSets);
 */
export function ownership<Owner extends KubeObject>(
  context: OwnershipContext,
  resource: ResourceType<Owner>,
  options?: OwnershipOptions<Owner>,
): Ownership<Owner> {
  return new Ownership(context, resource, options);
}
