import { type ObjectKey, type Pod, type Service, keyOf, podCondition } from '#pkg/api';
import { formatTime, parseTime } from '#pkg/base';

/** Annotation that says what endpoints were last changed by: when that happened, RFC 3339. */
export const LAST_CHANGE_TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';

interface Seen {
  /** ms since the epoch. */
  readonly service: number;
  /** By Pod name, ms since the epoch. */
  readonly pods: ReadonlyMap<string, number>;
}

const NEVER: Seen = { service: Number.NEGATIVE_INFINITY, pods: new Map() };

/**
 * When the change happened that the next write of a Service's endpoints makes known: readiness of a Pod turned, or the
 * Service was made. Compared with what was seen at the last look, so that a Pod that changes twice between two looks
 * counts once, by its last change (`staging/src/k8s.io/endpointslice/util/trigger_time_tracker.go`).
 */
export class TriggerTimes {
  readonly #seen = new Map<ObjectKey, Seen>();

  /** The text for the annotation; undefined where nothing has changed, and it is to go. To be called at each look. */
  look(service: Service, pods: readonly Pod[]): string | undefined {
    const key = keyOf(service);
    const known = this.#seen.get(key);
    const before = known ?? NEVER;
    const created = parseTime(service.metadata.creationTimestamp);
    const times = new Map<string, number>();
    let earliest = created > before.service ? created : Number.POSITIVE_INFINITY;
    for (const pod of pods) {
      const turned = parseTime(podCondition(pod, 'Ready')?.lastTransitionTime);
      if (Number.isNaN(turned)) continue;
      times.set(pod.metadata.name, turned);
      if (turned > (before.pods.get(pod.metadata.name) ?? Number.NEGATIVE_INFINITY))
        earliest = Math.min(earliest, turned);
    }
    this.#seen.set(key, { service: created, pods: times });
    // Of a Service not seen before nothing is known but its own beginning.
    const time = known === undefined ? created : earliest;
    return Number.isFinite(time) ? formatTime(time) : undefined;
  }

  /** The Service is gone. */
  forget(key: ObjectKey): void {
    this.#seen.delete(key);
  }
}
