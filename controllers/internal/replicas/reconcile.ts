import { type KubeObject, type ObjectKey, SelectorError } from '#pkg/api';
import { type ControllerContext, type ReconcileResult, logName } from '#pkg/controller';

import { type Readers, gather } from './read.ts';
import { type ScaleTools, type Scaled, scale } from './scale.ts';
import { decideRequeue, decideStatus, losesPods } from './status.ts';
import { writeStatus } from './write-status.ts';

export interface ReconcilerOptions<Owner extends KubeObject> extends Readers<Owner> {
  readonly context: Pick<ControllerContext, 'clock' | 'log' | 'metrics' | 'featureGates'>;
}

/** A status waits this long, ms, for the caches to show the Pods that were created or deleted. */
const STATUS_PATIENCE = 1000;

/** Brings the Pods and the status of one owner nearer to its spec. */
export class Reconciler<Owner extends KubeObject> {
  readonly #options: ReconcilerOptions<Owner>;
  readonly #tools: ScaleTools<Owner>;
  readonly #countsTerminating: boolean;

  constructor(options: ReconcilerOptions<Owner>) {
    const { metrics, featureGates } = options.context;
    const { subsystem, terminatingGate } = options.kind;
    const ageRatio = metrics.histogram({
      name: `${subsystem}_sorting_deletion_age_ratio`,
      help: 'Age of ready Pods chosen for deletion over the age of the youngest ready one at that time. Should be below 2.',
      stability: 'ALPHA',
      buckets: [0.25, 0.5, 1, 2, 4, 8],
    });
    this.#options = options;
    this.#countsTerminating = terminatingGate !== undefined && featureGates.enabled(terminatingGate);
    this.#tools = {
      ...options,
      deletionCost: featureGates.enabled('PodDeletionCost'),
      observeAgeRatio: (ratio) => ageRatio.observe(ratio),
    };
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult | void> {
    const { context, kind, owners, pods } = this.#options;
    const { clock, log } = context;
    const mayScale = pods.expectations.satisfied(key);
    const snapshot = gather(this.#options, key);
    if (snapshot === undefined) return owners.forget(key);
    if (snapshot instanceof SelectorError)
      return log.error('Invalid selector', snapshot, { [logName(kind.type)]: key });

    const { owner, spec, owned } = snapshot;
    const active = await pods.claim(owner, signal, owned);
    const scaling = mayScale && owner.metadata.deletionTimestamp === undefined;
    const { failure, changed = false }: Scaled = scaling ? await scale(this.#tools, snapshot, active, signal) : {};
    signal.throwIfAborted();

    const now = clock.now();
    const before = kind.status(owner);
    const terminating = this.#countsTerminating ? snapshot.terminating : undefined;
    const status = decideStatus({ owner, spec, status: before, active, terminating, failure, now });
    // That Pods are no longer ready is never kept back: a Deployment would count on them.
    if (failure === undefined && !(status && losesPods(before, status, spec.replicas))) {
      const behind = this.#behind(key);
      if (behind !== undefined || changed) return { requeueAfter: behind ?? 0 };
    }
    if (status !== undefined) await writeStatus(owner, status, this.#options, signal);
    if (failure !== undefined) throw failure;

    const wait = Math.min(
      decideRequeue(spec, status ?? before, active, now) ?? Infinity,
      // What was expected may never come (it happened between two lists): nothing else would wake the key then.
      (mayScale ? undefined : pods.expectations.expiresIn(key)) ?? Infinity,
    );
    if (wait !== Infinity) return { requeueAfter: Math.max(0, wait - (clock.now() - now)) };
  }

  /**
   * How much longer, ms, a status is not worth writing: Pods just created or deleted are not in the caches yet, so that
   * it would be wrong, and followed by the right one within milliseconds. Undefined when they are, or take too long.
   */
  #behind(key: ObjectKey): number | undefined {
    const since = this.#options.pods.expectations.pendingFor(key);
    return since === undefined || since >= STATUS_PATIENCE ? undefined : STATUS_PATIENCE - since;
  }
}
