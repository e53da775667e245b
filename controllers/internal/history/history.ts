import { parseJson, compareIntegers } from '#pkg/base';
import { type ControllerRevision, type KubeObject, isAlreadyExists } from '#pkg/api';
import { ignoreNotFound } from '#pkg/client';
import type { OwnedObjects } from '#pkg/controller';

import { type RevisionDraft, dataOf, revisionHash, revisionName } from './revision.ts';

/** What a creation came to. */
export interface Created {
  /** New, or one of the same name and data that was there. */
  readonly revision: ControllerRevision;
  /** One more for each name that was taken by other data: to be kept in the owner's status. */
  readonly collisionCount: number;
}

/** The revisions of owners of one kind, as objects of the API (`pkg/controller/history`). */
export class History<Owner extends KubeObject> {
  readonly #revisions: OwnedObjects<Owner, ControllerRevision>;

  constructor(revisions: OwnedObjects<Owner, ControllerRevision>) {
    this.#revisions = revisions;
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
    return this.#revisions.create(owner, { ...object, data: parseJson(data) }, { encoded, signal });
  }

  /** Gives a revision another number: what was rolled back to is the newest again. A patch: data is not sent. */
  async renumber(
    owner: Owner,
    revision: ControllerRevision,
    number: number,
    signal: AbortSignal,
  ): Promise<ControllerRevision> {
    if (compareIntegers(revision.revision, number) === 0) return revision;
    const body = { metadata: { uid: revision.metadata.uid }, revision: number };
    return this.#revisions.patch(owner, revision.metadata, 'merge', body, { signal });
  }

  /** One after the other, as given. What is gone already is no failure. */
  async delete(revisions: readonly ControllerRevision[], signal: AbortSignal): Promise<void> {
    for (const { metadata } of revisions) await ignoreNotFound(this.#revisions.delete(metadata, { signal }));
  }
}
