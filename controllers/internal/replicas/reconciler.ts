import { type KubeObject, type ObjectKey, type Pod, SelectorError, keyOf, resources } from '#pkg/api';
import type { ResourceClient } from '#pkg/client';
import {
  type ControllerContext,
  Expectations,
  PodControl,
  type ReconcileResult,
  type ConsistencyStore,
  claim,
  logName,
} from '#pkg/controller';

import { type Readers, type Snapshot, gather } from './read.ts';
import type { ReplicaStatus } from './kind.ts';
import { type ScaleTools, type Scaled, scale } from './scale.ts';
import { decideRequeue, decideStatus, losesPods } from './status.ts';
import { writeStatus } from './write-status.ts';

export interface ReconcilerOptions<Owner extends KubeObject> {
  readonly context: Pick<ControllerContext, 'client' | 'recorder' | 'clock' | 'log' | 'metrics' | 'featureGates'>;
  readonly readers: Readers<Owner>;
  /** Missing where nobody waits for the caches. */
  readonly consistency: ConsistencyStore | undefined;
}

/** A status waits this long, ms, for the caches to show the Pods that were created or deleted. */
const STATUS_PATIENCE = 1000;

/** Brings the Pods and the status of one owner nearer to its spec. */
export class Reconciler<Owner extends KubeObject> {
  readonly expectations: Expectations;
  readonly #options: ReconcilerOptions<Owner>;
  readonly #tools: ScaleTools<Owner>;
  readonly #owners: ResourceClient<Owner>;
  readonly #countsTerminating: boolean;

  constructor(options: ReconcilerOptions<Owner>) {
    const { context, readers, consistency } = options;
    const { client, clock, log, metrics, featureGates } = context;
    const { type, subsystem, terminatingGate } = readers.kind;
    const ageRatio = metrics.histogram({
      name: `${subsystem}_sorting_deletion_age_ratio`,
      help: 'Age of ready Pods chosen for deletion over the age of the youngest ready one at that time. Should be below 2.',
      stability: 'ALPHA',
      buckets: [0.25, 0.5, 1, 2, 4, 8],
    });
    this.expectations = new Expectations({ resource: type, clock, log });
    this.#options = options;
    this.#owners = client.resource(type);
    this.#countsTerminating = terminatingGate !== undefined && featureGates.enabled(terminatingGate);
    this.#tools = {
      context,
      readers,
      expectations: this.expectations,
      podControl: new PodControl<Owner>(context, {
        ownerType: type,
        wrote: (owner, pod) =>
          consistency?.wroteAt(keyOf(owner), owner.metadata.uid, resources.pods, pod.metadata.resourceVersion),
      }),
      deletionCost: featureGates.enabled('PodDeletionCost'),
      observeAgeRatio: (ratio) => ageRatio.observe(ratio),
    };
  }

  /** The owner is gone: another one of its name starts clean. */
  forget(key: ObjectKey, uid?: string): void {
    this.#options.consistency?.clear(key, uid);
    this.expectations.forget(key);
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult | void> {
    const { context, readers } = this.#options;
    const { clock, log } = context;
    const mayScale = this.expectations.satisfied(key);
    const snapshot = gather(readers, key);
    if (snapshot === undefined) return this.forget(key);
    if (snapshot instanceof SelectorError)
      return log.error('Invalid selector', snapshot, { [logName(readers.kind.type)]: key });

    const { owner, spec } = snapshot;
    const active = await this.#claim(snapshot, signal);
    const scaling = mayScale && owner.metadata.deletionTimestamp === undefined;
    const { failure, changed = false }: Scaled = scaling ? await scale(this.#tools, snapshot, active, signal) : {};
    signal.throwIfAborted();

    const now = clock.now();
    const before = readers.kind.status(owner);
    const terminating = this.#countsTerminating ? snapshot.terminating : undefined;
    const status = decideStatus({ owner, spec, status: before, active, terminating, failure, now });
    // That Pods are no longer ready is never kept back: a Deployment would count on them.
    if (failure === undefined && !(status && losesPods(before, status))) {
      const behind = this.#behind(key);
      if (behind !== undefined || changed) return { requeueAfter: behind ?? 0 };
    }
    if (status !== undefined) await this.#writeStatus(owner, status, signal);
    if (failure !== undefined) throw failure;

    const wait = Math.min(
      decideRequeue(spec, status ?? before, active, now) ?? Infinity,
      // What was expected may never come (it happened between two lists): nothing else would wake the key then.
      (mayScale ? undefined : this.expectations.expiresIn(key)) ?? Infinity,
    );
    if (wait !== Infinity) return { requeueAfter: Math.max(0, wait - (clock.now() - now)) };
  }

  /**
   * How much longer, ms, a status is not worth writing: Pods just created or deleted are not in the caches yet, so that
   * it would be wrong, and followed by the right one within milliseconds. Undefined when they are, or take too long.
   */
  #behind(key: ObjectKey): number | undefined {
    const since = this.expectations.pendingFor(key);
    return since === undefined || since >= STATUS_PATIENCE ? undefined : STATUS_PATIENCE - since;
  }

  #claim({ owner, selector, candidates }: Snapshot<Owner>, signal: AbortSignal): Promise<readonly Pod[]> {
    const { context, readers, consistency } = this.#options;
    return claim({
      owner,
      ownerType: readers.kind.type,
      type: resources.pods,
      selector,
      candidates,
      ownerClient: this.#owners,
      client: context.client.resource(resources.pods),
      wrote: (pod) =>
        consistency?.wroteAt(keyOf(owner), owner.metadata.uid, resources.pods, pod.metadata.resourceVersion),
      log: context.log,
      signal,
    });
  }

  async #writeStatus(owner: Owner, status: ReplicaStatus, signal: AbortSignal): Promise<void> {
    const { context, readers, consistency } = this.#options;
    const { kind } = readers;
    const written = await writeStatus(owner, status, { kind, client: this.#owners, log: context.log, signal });
    if (written) consistency?.wroteAt(keyOf(owner), owner.metadata.uid, kind.type, written.metadata.resourceVersion);
  }
}
