import { type KubeObject, SelectorError } from '#pkg/api';

import type { ControllerContext } from '../definition/definition.ts';
import { type OwnedByOptions, ownedBy } from './owned-by.ts';
import type { Trigger } from '../source/triggers.ts';
import { claim } from './claim.ts';
import { dependentsOf, indexDependents, orphansFor } from './dependents.ts';
import { Expectations } from './expectations.ts';
import { OwnedWrites, type OwnedWritesParts } from './owned-writes.ts';
import type { Owners } from './owners.ts';

export interface OwnedObjectsOptions<Owner extends KubeObject, T extends KubeObject> {
  /** Also required of an object, besides that the selector matches; one that fails it is released. */
  readonly matches?: (owner: Owner, object: T) => boolean;
  /** Objects that are neither claimed nor released: Pods that have ended, for one. */
  readonly ignores?: (object: T) => boolean;
  /** Whether an object that the selector matches no longer is released; true where missing. */
  readonly releases?: boolean;
  /** Put on what is adopted, taken off what is released. */
  readonly finalizers?: readonly string[];
  /** More to enqueue when an object of `owner` changed. */
  readonly onUpdate?: OwnedByOptions<Owner, T>['onUpdate'];
}

/** What owned objects need of their controller. */
export interface OwnedObjectsParts<Owner extends KubeObject, T extends KubeObject> extends OwnedWritesParts<T> {
  readonly context: Pick<ControllerContext, 'client' | 'clock' | 'log'>;
  readonly owners: Owners<Owner>;
}

/**
 * The objects of one resource that owners of another one manage: finds them by an index, adopts and releases them,
 * wakes their owner when they change, writes them, and holds what the caches must still show of creations and deletions.
 */
export class OwnedObjects<Owner extends KubeObject, T extends KubeObject> extends OwnedWrites<Owner, T> {
  readonly expectations: Expectations;
  readonly #parts: OwnedObjectsParts<Owner, T>;
  readonly #options: OwnedObjectsOptions<Owner, T>;

  constructor(parts: OwnedObjectsParts<Owner, T>, options: OwnedObjectsOptions<Owner, T> = {}) {
    super(parts);
    const { context, owners, informer } = parts;
    this.#parts = parts;
    this.#options = options;
    this.expectations = new Expectations({ resource: owners.resource, clock: context.clock, log: context.log });
    indexDependents(informer);
  }

  /** Changes of an object enqueue its owner, and are observed by the expectations first. */
  trigger(): Trigger<T> {
    const { owners, context } = this.#parts;
    const { onUpdate } = this.#options;
    const { expectations } = this;
    return ownedBy(this.resource, owners, { expectations, log: context.log, ...(onUpdate ? { onUpdate } : {}) });
  }

  /** Objects that name `owner` as their controller, as the cache shows them. */
  of({ metadata }: KubeObject): readonly T[] {
    return dependentsOf(this.lister, metadata.uid);
  }

  /** Objects of `owner` and, of its namespace, those without controller that its selector may match. */
  candidates(owner: Owner, owned = this.of(owner)): readonly T[] {
    const { ignores } = this.#options;
    const found = [...owned, ...this.#maybeSelected(owner)];
    return ignores ? found.filter((object) => !ignores(object)) : found;
  }

  /** Objects without controller, of the owner's namespace, that its selector matches; none for an invalid selector. */
  orphansOf(owner: Owner): readonly T[] {
    const { owners } = this.#parts;
    try {
      const selector = owners.selectorOf(owner);
      return this.#maybeSelected(owner).filter(({ metadata }) => selector.matches(metadata.labels));
    } catch (error) {
      if (error instanceof SelectorError) return [];
      throw error;
    }
  }

  /** Candidates that the owner's selector matches. Throws a SelectorError for an invalid one. */
  matching(owner: Owner, owned = this.of(owner)): readonly T[] {
    const selector = this.#parts.owners.selectorOf(owner);
    return this.candidates(owner, owned).filter(({ metadata }) => selector.matches(metadata.labels));
  }

  /**
   * The objects that `owner` manages, after adopting and releasing what has to be. Throws a SelectorError for an invalid
   * selector, and what failed, after all was tried. `owned`: what {@link of} returned, where that was asked for already.
   */
  async claim(owner: Owner, signal: AbortSignal, owned = this.of(owner)): Promise<readonly T[]> {
    const { context, owners, record } = this.#parts;
    const { matches, releases = true, finalizers = [] } = this.#options;
    return claim({
      owner,
      ownerType: owners.resource,
      type: this.resource,
      selector: owners.selectorOf(owner),
      candidates: releases ? this.candidates(owner, owned) : this.matching(owner, owned),
      ...(matches ? { filter: (object: T) => matches(owner, object) } : {}),
      finalizers,
      ownerClient: context.client.resource(owners.resource),
      client: context.client.resource(this.resource),
      wrote: (written) => record(owner, this.resource, written),
      log: context.log,
      signal,
    });
  }

  #maybeSelected(owner: Owner): readonly T[] {
    return orphansFor(this.lister, owner.metadata.namespace ?? '', this.#parts.owners.labelSelectorOf(owner));
  }
}
