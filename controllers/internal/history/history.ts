import {
  type ControllerRevision,
  type KubeObject,
  type LabelSelector,
  type ResourceType,
  type Selector,
  isAlreadyExists,
  isNotFound,
  keyOf,
  resources,
} from '#pkg/api';
import type { Lister } from '#pkg/cache';
import type { Client, ResourceClient } from '#pkg/client';
import { type ConsistencyStore, claim, dependentsOf, orphansFor } from '#pkg/controller';
import type { Logger } from '#pkg/log';

import { type RevisionDraft, dataOf, revisionHash, revisionName } from './revision.ts';

export interface HistoryOptions<Owner extends KubeObject> {
  readonly ownerType: ResourceType<Owner>;
  /** Of an informer that `indexDependents` was called with. */
  readonly revisions: Lister<ControllerRevision>;
  readonly client: Client;
  /** Of caches the revisions' among them; missing where nobody waits for caches. */
  readonly consistency?: ConsistencyStore | undefined;
  readonly log: Logger;
}

/** What a creation came to. */
export interface Created {
  /** New, or one of the same name and data that was there. */
  readonly revision: ControllerRevision;
  /** One more for each name that was taken by other data: to be kept in the owner's status. */
  readonly collisionCount: number;
}

/** The revisions of owners of one kind, as objects of the API (`pkg/controller/history`). */
export class History<Owner extends KubeObject> {
  readonly #options: HistoryOptions<Owner>;
  readonly #revisions: ResourceClient<ControllerRevision>;

  constructor(options: HistoryOptions<Owner>) {
    this.#options = options;
    this.#revisions = options.client.resource(resources.controllerRevisions);
  }

  /** Revisions that the selector matches and that are the owner's or nobody's. Nothing is written. */
  list(owner: Owner, selector: Selector, labelSelector: LabelSelector | undefined): readonly ControllerRevision[] {
    const { revisions } = this.#options;
    const { uid, namespace = '' } = owner.metadata;
    const candidates = [...dependentsOf(revisions, uid), ...orphansFor(revisions, namespace, labelSelector)];
    return candidates.filter((revision) => selector.matches(revision.metadata.labels));
  }

  /** As `list`, after adopting orphans, and where `release` is set releasing what is matched no longer. */
  async claim(
    owner: Owner,
    selector: Selector,
    labelSelector: LabelSelector | undefined,
    { release = false, signal }: { readonly release?: boolean; readonly signal: AbortSignal },
  ): Promise<readonly ControllerRevision[]> {
    const { revisions, ownerType, client, log } = this.#options;
    const { uid, namespace = '' } = owner.metadata;
    const candidates = release
      ? [...dependentsOf(revisions, uid), ...orphansFor(revisions, namespace, labelSelector)]
      : this.list(owner, selector, labelSelector);
    return claim({
      owner,
      ownerType,
      type: resources.controllerRevisions,
      selector,
      candidates,
      ownerClient: client.resource(ownerType),
      client: this.#revisions,
      wrote: (revision) => this.#wrote(owner, revision),
      log,
      signal,
    });
  }

  /**
   * Stores `draft`. A name that is taken by the same data is this revision already; taken by other data, the collision
   * count goes up and makes another name. The hash label stays as it was, as upstream.
   */
  async create(owner: Owner, draft: RevisionDraft, collisionCount: number, signal: AbortSignal): Promise<Created> {
    for (let collisions = collisionCount; ; collisions++) {
      const name = revisionName(owner.metadata.name, revisionHash(draft.data, collisions));
      const object = { ...draft.object, metadata: { ...draft.object.metadata, name } };
      try {
        return { revision: await this.store(owner, { ...draft, object }, signal), collisionCount: collisions };
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
        const { namespace } = object.metadata;
        const found = await this.#revisions.get(
          { name, ...(namespace === undefined ? {} : { namespace }) },
          { signal },
        );
        if (dataOf(found) === draft.data) return { revision: found, collisionCount: collisions };
      }
    }
  }

  /** Stores `draft` under the name it has; rejects with AlreadyExists where that is taken, whatever by. */
  async store(owner: Owner, { object, data }: RevisionDraft, signal: AbortSignal): Promise<ControllerRevision> {
    // The server keeps the bytes as they come, and JSON made from an object would be others.
    const encoded = `${JSON.stringify(object).slice(0, -1)},"data":${data}}`;
    const revision = await this.#revisions.create(
      { ...object, data: JSON.parse(data) as unknown },
      { encoded, signal },
    );
    this.#wrote(owner, revision);
    return revision;
  }

  /** Gives a revision another number: what was rolled back to is the newest again. A patch: data is not sent. */
  async renumber(
    owner: Owner,
    revision: ControllerRevision,
    number: number,
    signal: AbortSignal,
  ): Promise<ControllerRevision> {
    if (revision.revision === number) return revision;
    const body = { metadata: { uid: revision.metadata.uid }, revision: number };
    const written = await this.#revisions.patch(revision.metadata, 'merge', body, { signal });
    this.#wrote(owner, written);
    return written;
  }

  /** One after the other, as given. What is gone already is no failure. */
  async delete(revisions: readonly ControllerRevision[], signal: AbortSignal): Promise<void> {
    for (const { metadata } of revisions) {
      try {
        await this.#revisions.delete(metadata, { signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
  }

  #wrote(owner: Owner, revision: ControllerRevision): void {
    const { resourceVersion } = revision.metadata;
    this.#options.consistency?.wroteAt(
      keyOf(owner),
      owner.metadata.uid,
      resources.controllerRevisions,
      resourceVersion,
    );
  }
}
