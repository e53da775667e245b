import type { Pod } from '#pkg/api';
import { formatTime } from '#pkg/base';

/**
 * Pods whose deletion was accepted and that the cache still shows as if nothing had happened. A sync that does not know
 * would delete them again, and count them among those that stay.
 */
export class Departures {
  readonly #uids = new Set<string>();

  /** After a deletion went through; `cached` is what the cache shows by now. */
  deleted(pod: Pod, cached: Pod | undefined): void {
    const { uid } = pod.metadata;
    if (cached?.metadata.uid === uid && cached.metadata.deletionTimestamp === undefined) this.#uids.add(uid);
  }

  /** The cache shows it. */
  seen(pod: Pod): void {
    this.#uids.delete(pod.metadata.uid);
  }

  /** The Pod as the server must have it. */
  corrected(pod: Pod, now: number): Pod {
    return this.#uids.has(pod.metadata.uid) ? departing(pod, now) : pod;
  }
}

/** The Pod, on its way out since `now`. */
export function departing(pod: Pod, now: number): Pod {
  if (pod.metadata.deletionTimestamp !== undefined) return pod;
  return { ...pod, metadata: { ...pod.metadata, deletionTimestamp: formatTime(now) } };
}
