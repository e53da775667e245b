import { type Pod, isPodReady, podCondition } from '#pkg/api';
import { parseTime } from '#pkg/base';

/**
 * Milliseconds from `now` until the next Pod that is ready becomes available; undefined when none is on its way
 * (`FindMinNextPodAvailabilityCheck` in `pkg/controller/controller_utils.go`).
 */
export function nextAvailability(pods: readonly Pod[], minReadySeconds: number, now: number): number | undefined {
  if (minReadySeconds <= 0) return undefined;
  let next: number | undefined;
  for (const pod of pods) {
    if (!isPodReady(pod)) continue;
    const wait = parseTime(podCondition(pod, 'Ready')?.lastTransitionTime) + minReadySeconds * 1000 - now;
    if (wait > 0 && (next === undefined || wait < next)) next = wait;
  }
  return next;
}
