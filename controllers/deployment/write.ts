import {
  type Deployment,
  type NewObject,
  type ReplicaSet,
  isAlreadyExists,
  isNamespaceTerminating,
  keyOf,
} from '#pkg/api';
import { describeError, semanticEqual } from '#pkg/base';
import { ignoreNotFound } from '#pkg/client';
import type { ControllerContext, OwnedObjects, Ownership } from '#pkg/controller';

import { newCondition, setCondition } from './conditions.ts';
import { type Draft, draftOf, sizeOf, type Snapshot, type Step } from './snapshot.ts';
import { hasProgressDeadline } from './status.ts';
import { isOurs } from './template.ts';

export interface Writing {
  readonly context: Pick<ControllerContext, 'recorder' | 'log'>;
  readonly deployments: Ownership<Deployment>;
  readonly replicaSets: OwnedObjects<Deployment, ReplicaSet>;
}

/** The requests of one reconcile: in order, with the events that report them. */
export class Writer {
  readonly #writing: Writing;
  readonly #snapshot: Snapshot;
  readonly #signal: AbortSignal;
  readonly #deployments: Ownership<Deployment>;
  readonly #replicaSets: OwnedObjects<Deployment, ReplicaSet>;
  /** Newest version of each ReplicaSet that was written, by uid: a second step on it builds on the first. */
  readonly #written = new Map<string, string>();

  constructor(writing: Writing, snapshot: Snapshot, signal: AbortSignal) {
    this.#writing = writing;
    this.#snapshot = snapshot;
    this.#signal = signal;
    this.#deployments = writing.deployments;
    this.#replicaSets = writing.replicaSets;
  }

  /** Steps in order; the first failure ends them and is thrown. */
  async carryOut(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (step.kind === 'delete') await this.#delete(step.replicaSet);
      else await this.update(step.before, step.after);
    }
  }

  /** Writes a ReplicaSet and tells of its new size, if that is what changed. */
  async update(before: ReplicaSet, after: ReplicaSet): Promise<ReplicaSet> {
    const resourceVersion = this.#written.get(after.metadata.uid) ?? after.metadata.resourceVersion;
    const object = { ...after, metadata: { ...after.metadata, resourceVersion } };
    const written = await this.#replicaSets.update(this.#snapshot.deployment, object, { signal: this.#signal });
    this.#written.set(written.metadata.uid, written.metadata.resourceVersion);
    const [from, to] = [sizeOf(before), sizeOf(after)];
    if (from !== to) {
      const direction = from < to ? 'up' : 'down';
      this.#event(
        'Normal',
        'ScalingReplicaSet',
        `Scaled ${direction} replica set ${after.metadata.name} from ${from} to ${to}`,
      );
    }
    return written;
  }

  async #delete(replicaSet: ReplicaSet): Promise<void> {
    const { deployment } = this.#snapshot;
    this.#writing.context.log.v(4)?.info('Deleting an old ReplicaSet', {
      deployment: keyOf(deployment),
      replicaSet: keyOf(replicaSet),
    });
    const options = { preconditions: { uid: replicaSet.metadata.uid }, signal: this.#signal };
    await ignoreNotFound(this.#replicaSets.delete(replicaSet.metadata, options));
  }

  /**
   * Creates the new ReplicaSet. `created` is false where it was there already, made by us before the cache saw it. A name
   * taken by another ReplicaSet is a hash collision: the collision count goes up for the next try. Any other refusal is
   * told in a condition and an event. Throws in both cases.
   */
  async create(object: NewObject<ReplicaSet>): Promise<{ replicaSet: ReplicaSet; created: boolean }> {
    const { deployment } = this.#snapshot;
    try {
      const replicaSet = await this.#replicaSets.create(deployment, object, { signal: this.#signal });
      const { replicas } = object.spec!;
      if (replicas)
        this.#event(
          'Normal',
          'ScalingReplicaSet',
          `Scaled up replica set ${replicaSet.metadata.name} from 0 to ${replicas}`,
        );
      return { replicaSet, created: true };
    } catch (error) {
      if (isNamespaceTerminating(error)) throw error;
      if (!isAlreadyExists(error)) {
        await this.#reportCreateError(object, error);
        throw error;
      }
      const found = await this.#replicaSets.get(
        { namespace: deployment.metadata.namespace!, name: object.metadata.name! },
        { signal: this.#signal },
      );
      if (isOurs(deployment, found)) return { replicaSet: found, created: false };
      await this.#countCollision();
      throw error;
    }
  }

  async #reportCreateError(object: NewObject<ReplicaSet>, error: unknown): Promise<void> {
    const { deployment, now } = this.#snapshot;
    const message = `Failed to create new replica set "${object.metadata.name}": ${describeError(error)}`;
    this.#event('Warning', 'ReplicaSetCreateError', message);
    if (!hasProgressDeadline(deployment)) return;
    const draft = draftOf(deployment);
    const status = setCondition(
      draft.status,
      newCondition('Progressing', 'False', 'ReplicaSetCreateError', message, now),
    );
    // The refusal itself is what the caller throws; that it could not be told as well is no further news.
    await this.writeStatus({ ...draft, status }).catch(() => {});
  }

  async #countCollision(): Promise<void> {
    const { deployment } = this.#snapshot;
    const draft = draftOf(deployment);
    const collisionCount = (draft.status.collisionCount ?? 0) + 1;
    await this.writeStatus({ ...draft, status: { ...draft.status, collisionCount } });
    this.#writing.context.log.v(2)?.info('Found a hash collision, counting it to find another name', {
      deployment: keyOf(deployment),
      collisionCount,
    });
  }

  /** Writes what differs from the Deployment as it was gathered, if anything does; says whether. */
  async writeStatus({ annotations, status }: Draft): Promise<boolean> {
    const { deployment } = this.#snapshot;
    const before = draftOf(deployment);
    if (semanticEqual(before.status, status) && semanticEqual(before.annotations, annotations)) return false;
    const object: Deployment = { ...deployment, metadata: { ...deployment.metadata, annotations }, status };
    await this.#deployments.updateStatus(object, { metadataOnly: true, signal: this.#signal });
    return true;
  }

  async writeDeployment(deployment: Deployment): Promise<void> {
    await this.#deployments.update(deployment, { metadataOnly: true, signal: this.#signal });
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#writing.context.recorder.event(this.#snapshot.deployment, type, reason, message);
  }
}
