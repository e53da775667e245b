import type { DaemonSet } from '#pkg/api';

const FIRST = 1000;
const LONGEST = 15 * 60 * 1000;

interface Entry {
  readonly delay: number;
  /** Monotonic. */
  readonly since: number;
}

interface Owned {
  readonly generation: number;
  readonly byNode: Map<string, Entry>;
}

/**
 * How long a failed Pod stays before it is deleted and another takes its place, for each node: a kubelet that turns a Pod
 * away will turn the next away too. One second, doubled up to 15 minutes; forgotten after twice that, and with each new
 * generation of the DaemonSet (`failedPodsBackoff` in `pkg/controller/daemon`). Times are monotonic, ms.
 */
export class FailedPods {
  readonly #byOwner = new Map<string, Owned>();

  /** How long to wait still; undefined where the Pod may go now, after which `removed` is to be called. */
  wait(daemonSet: DaemonSet, node: string, now: number): number | undefined {
    const entry = this.#byNode(daemonSet).get(node);
    if (!entry || isStale(entry, now)) return undefined;
    const left = entry.since + entry.delay - now;
    return left > 0 ? left : undefined;
  }

  removed(daemonSet: DaemonSet, node: string, now: number): void {
    const byNode = this.#byNode(daemonSet);
    for (const [other, entry] of byNode) if (isStale(entry, now)) byNode.delete(other);
    const before = byNode.get(node);
    byNode.set(node, { delay: before ? Math.min(before.delay * 2, LONGEST) : FIRST, since: now });
    this.#byOwner.set(daemonSet.metadata.uid, { generation: generationOf(daemonSet), byNode });
  }

  /** The DaemonSet is gone. */
  forget({ metadata: { uid } }: DaemonSet): void {
    this.#byOwner.delete(uid);
  }

  #byNode(daemonSet: DaemonSet): Map<string, Entry> {
    const owned = this.#byOwner.get(daemonSet.metadata.uid);
    return owned?.generation === generationOf(daemonSet) ? owned.byNode : new Map<string, Entry>();
  }
}

const isStale = ({ since }: Entry, now: number): boolean => now - since > 2 * LONGEST;
const generationOf = ({ status }: DaemonSet): number => status?.observedGeneration ?? 0;
