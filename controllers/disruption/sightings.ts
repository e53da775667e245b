import { type ObjectKey, type PodDisruptionBudget, keyOf } from '#pkg/api';

/**
 * Since which version of a budget its evictions are listed, so that the cache of Pods can be asked whether it has read
 * that far: it may be behind that of budgets, and not have a Pod yet whose eviction is already told.
 */
export class Sightings {
  /** By budget; the eviction by its Pod's name and its time. */
  readonly #versions = new Map<ObjectKey, ReadonlyMap<string, string>>();

  /** Names of listed Pods whose eviction is newer than what `hasReached` says of the cache of Pods. */
  newer(budget: PodDisruptionBudget, hasReached: (resourceVersion: string) => boolean): ReadonlySet<string> {
    const key = keyOf(budget);
    const listed = Object.entries(budget.status?.disruptedPods ?? {});
    if (listed.length === 0) {
      this.#versions.delete(key);
      return new Set();
    }
    const before = this.#versions.get(key);
    const versions = new Map<string, string>();
    const newer = new Set<string>();
    for (const [name, time] of listed) {
      const eviction = `${name} ${time}`;
      const version = before?.get(eviction) ?? budget.metadata.resourceVersion;
      versions.set(eviction, version);
      if (!hasReached(version)) newer.add(name);
    }
    this.#versions.set(key, versions);
    return newer;
  }

  /** The budget is gone. */
  forget(key: ObjectKey): void {
    this.#versions.delete(key);
  }
}
