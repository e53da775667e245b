import { type Pod, isPodTerminal, keyOf, podCondition, resources } from '#pkg/api';
import { type Clock, formatTime, parseTime } from '#pkg/base';
import { type Client, ignoreNotFound } from '#pkg/client';
import { type Enqueue, type Trigger, on } from '#pkg/controller';

/** How long a Pod may be said to be about to be disrupted without being deleted, ms (`stalePodDisruptionTimeout`). */
export const STALE_AFTER = 120_000;

const TYPE = 'DisruptionTarget';

/**
 * ms until the Pod's condition is taken back, 0 for now; undefined where there is nothing to take back. What the kubelet
 * said stays, however long it takes, and so does what is told of Pods that have ended.
 */
export function staleIn(pod: Pod, now: number): number | undefined {
  if (pod.metadata.deletionTimestamp !== undefined || isPodTerminal(pod)) return undefined;
  const condition = podCondition(pod, TYPE);
  if (condition?.status !== 'True' || condition.reason === 'TerminationByKubelet') return undefined;
  const since = parseTime(condition.lastTransitionTime);
  return Number.isNaN(since) ? 0 : Math.max(0, since + STALE_AFTER - now);
}

/** Each Pod that has the condition, when it is due. */
export function onDisruptionTarget(clock: Clock): Trigger<Pod> {
  function due(pod: Pod): readonly Enqueue[] {
    const after = staleIn(pod, clock.now());
    return after === undefined ? [] : [{ key: keyOf(pod), after }];
  }
  return on(resources.pods, { add: due, update: (_old, current) => due(current) });
}

/** Says that the Pod is not going to be disrupted. Rejects with a Conflict if it changed meanwhile. */
export async function takeBack(pod: Pod, client: Client, now: number, signal: AbortSignal): Promise<void> {
  const { uid, resourceVersion, generation } = pod.metadata;
  const condition = {
    type: TYPE,
    status: 'False',
    lastTransitionTime: formatTime(now),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    reason: null,
    message: null,
  };
  const body = { metadata: { uid, resourceVersion }, status: { conditions: [condition] } };
  const options = { subresource: 'status', metadataOnly: true, signal };
  await ignoreNotFound(client.resource(resources.pods).patch(pod.metadata, 'strategic', body, options));
}
