import { type Job, type ObjectKey, type Pod, keyOf } from '#pkg/api';
import type { ControllerContext, ReconcileResult } from '#pkg/controller';

import { Writer } from './write.ts';
import { type Numbers, decideDraft } from './draft.ts';
import { type JobCondition, type JobStatus, isFinished, statusOf } from './facts.ts';
import { type Gathering, gather } from './read.ts';
import type { JobMetrics, SyncAction } from './metrics.ts';
import { type Change, decideChange } from './scale.ts';
import type { Snapshot } from './snapshot.ts';
import { type Tally, countReady, tallyOf } from './tally.ts';
import { type Tracking, countReleased, decideTracking, endedWith } from './tracking.ts';
import { completionsReached, deadlineIn, isComplete, verdictOn } from './verdict.ts';

export interface ReconcilerParts extends Gathering {
  readonly context: ControllerContext;
  readonly metrics: JobMetrics;
}

/** What was done about the Pods, and what that makes of the Job. */
interface Outcome {
  readonly numbers: Numbers;
  readonly action: SyncAction;
  /** It ends, and nothing stands in the way of saying so. */
  readonly verdict?: JobCondition;
  readonly managed: boolean;
  readonly failure?: unknown;
  /** ms. */
  readonly requeueAfter?: number;
}

/** A Job whose status notes the Pods that may go. */
interface Releasing {
  readonly job: Job;
  readonly status: JobStatus;
  readonly tracking: Tracking;
  /** Pods that the end of the Job waits for. */
  readonly terminating: number;
}

/** Brings the Pods and the status of one Job nearer to its spec (`syncJob` in `pkg/controller/job/job_controller.go`). */
export class Reconciler {
  readonly #parts: ReconcilerParts;
  readonly #writer: Writer;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.#writer = new Writer(parts);
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult | void> {
    const { context, jobs, memory, gates } = this.#parts;
    const { log, recorder } = context;
    const job = jobs.lister.get(key);
    if (!job) return memory.forgetKey(key);
    const other = gates.otherManager(job);
    if (other !== undefined) {
      log.v(2)?.info('Skip syncing the Job, which another controller manages', { job: key, controllerName: other });
      return;
    }
    if (isFinished(job)) return memory.forget(job);
    if (memory.hasFinished(job)) return;
    const mode = job.spec?.completionMode ?? 'NonIndexed';
    if (mode !== 'NonIndexed' && mode !== 'Indexed') {
      recorder.event(job, 'Warning', 'UnknownCompletionMode', 'Skipped Job sync because completion mode is unknown');
      return;
    }
    return this.#measured(job, (told) => this.#sync(job, told, signal));
  }

  async #measured(
    job: Job,
    sync: (told: (action: SyncAction) => void) => Promise<ReconcileResult | void>,
  ): Promise<ReconcileResult | void> {
    const { context, metrics } = this.#parts;
    const started = context.clock.monotonic();
    let [action, succeeded]: [SyncAction, boolean] = ['reconciling', false];
    try {
      const result = await sync((what) => (action = what));
      succeeded = true;
      return result;
    } finally {
      metrics.synced(job, action, succeeded, (context.clock.monotonic() - started) / 1000);
    }
  }

  async #sync(job: Job, told: (action: SyncAction) => void, signal: AbortSignal): Promise<ReconcileResult | void> {
    const { pods } = this.#parts;
    const snapshot = await gather(job, this.#parts, signal);
    const tally = tallyOf(snapshot);
    const verdict = verdictOn(snapshot, tally);
    const outcome = verdict
      ? await this.#end(snapshot, tally, verdict, signal)
      : await this.#manage(snapshot, tally, signal);
    told(outcome.action);
    signal.throwIfAborted();
    await this.#track(snapshot, tally, outcome, signal);
    if (outcome.failure !== undefined) throw outcome.failure;

    const waits = [
      outcome.requeueAfter,
      verdict ? undefined : deadlineIn(snapshot),
      // What was expected may never come (it happened between two lists): nothing else would wake the key then.
      snapshot.complete ? undefined : pods.expectations.expiresIn(keyOf(job)),
    ].filter((wait) => wait !== undefined);
    if (waits.length > 0) return { requeueAfter: Math.max(0, Math.min(...waits)) };
  }

  /** Ends the Pods that are still at work. Only when none is left, and the cache hides none, the Job may be said to end. */
  async #end({ job, complete }: Snapshot, tally: Tally, verdict: JobCondition, signal: AbortSignal): Promise<Outcome> {
    const { deleted, failure } = await this.#writer.endPods(job, tally.active, signal);
    const ends = complete && deleted.length === tally.active.length;
    return {
      numbers: without(tally, deleted),
      action: 'reconciling',
      managed: false,
      failure,
      ...(ends ? { verdict } : {}),
    };
  }

  async #manage(snapshot: Snapshot, tally: Tally, signal: AbortSignal): Promise<Outcome> {
    const { job, complete } = snapshot;
    const managed = complete && job.metadata.deletionTimestamp === undefined;
    const outcome = managed
      ? await this.#change(snapshot, tally, decideChange(snapshot, tally), signal)
      : ({ numbers: without(tally, []), action: 'reconciling' } as const);
    if (isComplete(snapshot, tally, outcome.numbers.active))
      return { ...outcome, managed: false, verdict: completionsReached(snapshot) };
    return { ...outcome, managed };
  }

  async #change(
    { job }: Snapshot,
    tally: Tally,
    change: Change,
    signal: AbortSignal,
  ): Promise<Omit<Outcome, 'managed'>> {
    const numbers = without(tally, []);
    switch (change.kind) {
      case 'keep':
        return { numbers, action: 'tracking' };
      case 'wait':
        return { numbers, action: 'pods_created', requeueAfter: change.for };
      case 'delete': {
        const { deleted, failure } = await this.#writer.removePods(job, change.pods, signal);
        return { numbers: without(tally, deleted), action: 'pods_deleted', failure };
      }
      case 'create': {
        const { created, failed, failure } = await this.#writer.createPods(job, change.pods, signal);
        const why = { failures: tally.failed > 0, terminating: tally.terminating > 0 };
        this.#parts.metrics.created(job, why, created, failed);
        return { numbers: { ...numbers, active: numbers.active + created }, action: 'pods_created', failure };
      }
    }
  }

  /** Writes what is known, lets Pods go whose end is noted, and counts them. */
  async #track(snapshot: Snapshot, tally: Tally, outcome: Outcome, signal: AbortSignal): Promise<void> {
    const { context, metrics, memory } = this.#parts;
    const { numbers, managed, verdict } = outcome;
    const draft = decideDraft({ snapshot, numbers, managed });
    const tracking = decideTracking(snapshot, tally, draft.status, verdict);
    let { job } = snapshot;
    let { status } = tracking;
    if (draft.changed || tracking.changed) {
      job = await this.#write(job, status, signal);
      status = statusOf(job);
      memory.backoffs.set(keyOf(job), tally.backoff);
      if (draft.event) context.recorder.event(job, 'Normal', draft.event.reason, draft.event.message);
    }
    metrics.policyActions(tracking.actions);
    await this.#release(
      { job, status, tracking, terminating: snapshot.gates.interim ? numbers.terminating : 0 },
      signal,
    );
  }

  async #release({ job, status, tracking, terminating }: Releasing, signal: AbortSignal): Promise<void> {
    const { memory } = this.#parts;
    const { release, held, ending } = tracking;
    const { released, failure } =
      release.length > 0 ? await this.#writer.releasePods(job, release, signal) : { released: NONE };
    const counted = countReleased(status, held.difference(released));
    if (failure !== undefined) {
      if (counted !== status) await this.#write(job, counted, signal);
      throw failure;
    }
    const ended = ending && endedWith(counted, ending, terminating);
    if (!ended && counted === status) return;
    const written = await this.#write(job, ended ?? counted, signal);
    if (!ended) return;
    memory.wroteFinished(written);
    this.#tellEnd(written, ending);
  }

  async #write(job: Job, status: JobStatus, signal: AbortSignal): Promise<Job> {
    const written = await this.#writer.writeStatus(job, status, signal);
    this.#parts.metrics.counted(job, written);
    return written;
  }

  #tellEnd(job: Job, { type, reason = '', message = '' }: JobCondition): void {
    const { context, metrics } = this.#parts;
    if (type !== 'Complete') {
      context.recorder.event(job, 'Warning', reason, message);
      metrics.finished(job, 'failed', reason);
      return;
    }
    if ((job.status?.succeeded ?? 0) > (job.spec?.completions ?? Infinity)) {
      context.recorder.event(
        job,
        'Warning',
        'TooManySucceededPods',
        'Too many succeeded pods running after completion count reached',
      );
    }
    context.recorder.event(job, 'Normal', 'Completed', 'Job completed');
    metrics.finished(job, 'succeeded', reason);
  }
}

const NONE: ReadonlySet<string> = new Set();

/** The numbers once some active Pods were told to go. */
function without({ active, terminating }: Tally, deleted: readonly Pod[]): Numbers {
  return {
    active: active.length - deleted.length,
    ready: countReady(active) - countReady(deleted),
    terminating: terminating + deleted.length,
  };
}
