import { type KubeObject, type Pod, isNamespaceTerminating, isNotFound, keyOf } from '#pkg/api';
import {
  type ControllerContext,
  type Expectations,
  type PodControl,
  inParallel,
  logName,
  slowStart,
} from '#pkg/controller';

import { decideChange, decideDeletion } from './decide.ts';
import { type Readers, type Snapshot, relatedPods } from './read.ts';

export interface ScaleTools<Owner extends KubeObject> {
  readonly context: Pick<ControllerContext, 'clock' | 'log'>;
  readonly readers: Readers<Owner>;
  readonly expectations: Expectations;
  readonly podControl: PodControl<Owner>;
  readonly deletionCost: boolean;
  readonly observeAgeRatio: (ratio: number) => void;
}

export interface Scaled {
  /** Pods were created or deleted: what the caches showed before holds no more. */
  readonly changed?: boolean;
  readonly failure?: unknown;
}

/**
 * Creates or deletes Pods until the wanted number is reached or something fails. The failure is an answer and no
 * exception: the status must still be written, and say so.
 */
export async function scale<Owner extends KubeObject>(
  tools: ScaleTools<Owner>,
  snapshot: Snapshot<Owner>,
  active: readonly Pod[],
  signal: AbortSignal,
): Promise<Scaled> {
  const change = decideChange(snapshot.spec.replicas, active.length);
  if (change > 0) return create(tools, snapshot, change, signal);
  if (change < 0) return remove(tools, snapshot, active, -change, signal);
  return {};
}

async function create<Owner extends KubeObject>(
  { context: { log }, readers, expectations, podControl }: ScaleTools<Owner>,
  { owner, spec }: Snapshot<Owner>,
  count: number,
  signal: AbortSignal,
): Promise<Scaled> {
  const key = keyOf(owner);
  expectations.expectCreations(key, count);
  log.v(2)?.info('Too few replicas', { [logName(readers.kind.type)]: key, need: spec.replicas, creating: count });
  const { successes, errors } = await slowStart(count, async () => {
    await podControl.create(owner, spec.template, signal);
  });
  const failure = errors.find((error) => !isNamespaceTerminating(error));
  // In a namespace that goes away every creation fails: the expectations stay, so that none is tried again for minutes.
  if (errors.length > 0 && failure === undefined) return {};
  if (successes < count) {
    log.v(2)?.info('Slow start failed, the rest is left for the next sync', {
      [logName(readers.kind.type)]: key,
      skipped: count - successes,
    });
    expectations.creationObserved(key, count - successes);
  }
  return failure === undefined ? { changed: true } : { failure };
}

async function remove<Owner extends KubeObject>(
  { context: { clock, log }, readers, expectations, podControl, deletionCost, observeAgeRatio }: ScaleTools<Owner>,
  { owner, spec }: Snapshot<Owner>,
  active: readonly Pod[],
  count: number,
  signal: AbortSignal,
): Promise<Scaled> {
  const key = keyOf(owner);
  log.v(2)?.info('Too many replicas', { [logName(readers.kind.type)]: key, need: spec.replicas, deleting: count });
  const related = relatedPods(readers, owner);
  const { pods, ageRatios } = decideDeletion({ active, count, related, deletionCost, now: clock.now() });
  ageRatios.forEach(observeAgeRatio);
  // By UID, so that each counts once: when its deletion timestamp is seen, or when it is gone.
  expectations.expectDeletions(
    key,
    pods.map((pod) => pod.metadata.uid),
  );
  const { errors } = await inParallel(pods, async (pod) => {
    try {
      await podControl.delete(owner, pod, signal);
    } catch (error) {
      // Of a Pod that is gone the event is yet to come, while the cache shows it: choosing it again would ask in vain.
      const awaited = isNotFound(error) && readers.pods.get(keyOf(pod))?.metadata.uid === pod.metadata.uid;
      if (!awaited) expectations.deletionObserved(key, pod.metadata.uid);
      if (!isNotFound(error)) throw error;
    }
  });
  return errors.length === 0 ? { changed: true } : { failure: errors[0] };
}
