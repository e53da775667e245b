import { type ControllerRevision, type DaemonSet, type Node, type ObjectKey, type Pod } from '#pkg/api';
import type { Lister } from '#pkg/cache';
import {
  type ControllerContext,
  type OwnedObjects,
  type OwnedPods,
  type Ownership,
  type ReconcileResult,
  selectsAll,
} from '#pkg/controller';

import { History } from '../internal/history/index.ts';
import { carryOut, writeStatus } from './write.ts';
import { FailedPods } from './failed-pods.ts';
import { keepHistory } from './history.ts';
import { manage } from './manage.ts';
import type { Placement } from './placement.ts';
import { obsolete } from './revisions.ts';
import { rollingUpdate } from './rolling.ts';
import { type Snapshot, groupByNode } from './snapshot.ts';
import { countStatus, untilAvailable } from './status.ts';
import { strategyOf } from './strategy.ts';
import { HASH } from './template.ts';

export interface ReconcilerOptions {
  readonly context: Pick<ControllerContext, 'recorder' | 'clock' | 'log'>;
  readonly daemonSets: Ownership<DaemonSet>;
  readonly pods: OwnedPods<DaemonSet>;
  readonly revisions: OwnedObjects<DaemonSet, ControllerRevision>;
  readonly nodes: Lister<Node>;
  readonly placement: Placement;
}

/** Brings the Pods, revisions and status of one DaemonSet nearer to its spec. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #failedPods = new FailedPods();
  readonly #history: History<DaemonSet>;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#history = new History(options.revisions);
  }

  /** The DaemonSet is gone: another one of its name starts clean. */
  forget(daemonSet: DaemonSet): void {
    this.#failedPods.forget(daemonSet);
  }

  /** In the order of `syncDaemonSet`: revisions, Pods, clean-up, and the status whatever became of those. */
  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult | void> {
    const { context, daemonSets, pods } = this.#options;
    const mayChange = pods.expectations.satisfied(key);
    const daemonSet = daemonSets.lister.get(key);
    if (!daemonSet) return daemonSets.forget(key);
    // An empty selector would make every Pod of the namespace ours.
    if (selectsAll(daemonSet.spec?.selector)) {
      const message = 'This daemon set is selecting all pods. A non-empty selector is required.';
      return context.recorder.event(daemonSet, 'Warning', 'SelectingAll', message);
    }
    if (daemonSet.metadata.deletionTimestamp !== undefined) return undefined;

    let claiming: Promise<readonly Pod[]> | undefined;
    const claimed = (): Promise<readonly Pod[]> => (claiming ??= pods.claim(daemonSet, signal));
    const tools = { ...this.#options, history: this.#history, claimed };
    const kept = await keepHistory(daemonSet, tools, signal);
    const snapshot = this.#snapshot(daemonSet, kept.current.metadata.labels?.[HASH] ?? '', await claimed());
    if (!mayChange) {
      await writeStatus(daemonSet, countStatus(snapshot, { observed: false }), daemonSets, signal);
      // What was expected may never come (it happened between two lists): nothing else would wake the key then.
      return this.#comeBack(snapshot, pods.expectations.expiresIn(key));
    }
    let lingering: number | undefined;
    let failure: unknown;
    try {
      lingering = await this.#changePods(snapshot, signal);
      await this.#history.delete(obsolete(daemonSet, kept.old, await claimed()), signal);
    } catch (error) {
      failure = error;
    }
    signal.throwIfAborted();
    try {
      await writeStatus(daemonSet, countStatus(snapshot, { observed: true }), daemonSets, signal);
    } catch (error) {
      if (failure === undefined) throw error;
      context.log.error('Failed to update status', error, { daemonSet: key });
    }
    if (failure !== undefined) throw failure;
    return this.#comeBack(snapshot, lingering);
  }

  #snapshot(daemonSet: DaemonSet, hash: string, pods: readonly Pod[]): Snapshot {
    const { nodes, placement, context } = this.#options;
    const placed = Array.from(nodes.list(), (node) => ({
      name: node.metadata.name,
      ...placement.verdict(daemonSet, node),
    }));
    return { daemonSet, hash, nodes: placed, podsByNode: groupByNode(pods), now: context.clock.now() };
  }

  /** Answers how long the next failed Pod stays, ms. A rolling update goes on only where there is nothing else to do. */
  async #changePods(snapshot: Snapshot, signal: AbortSignal): Promise<number | undefined> {
    const { context, pods } = this.#options;
    const { daemonSet, hash } = snapshot;
    const now = context.clock.monotonic();
    const wait = (node: string): number | undefined => this.#failedPods.wait(daemonSet, node, now);
    const management = manage(snapshot, (node) => wait(node) !== undefined);
    for (const node of management.failedOn) this.#failedPods.removed(daemonSet, node, now);
    for (const { type, reason, message } of management.reports)
      context.recorder.event(daemonSet, type, reason, message);
    await carryOut(daemonSet, hash, management, { context, pods }, signal);
    const settled = management.create.length + management.remove.length === 0;
    if (settled && !strategyOf(daemonSet).onDelete)
      await carryOut(daemonSet, hash, rollingUpdate(snapshot), { context, pods }, signal);
    return least(management.lingering.map(wait));
  }

  #comeBack(snapshot: Snapshot, other: number | undefined): ReconcileResult | undefined {
    const { clock } = this.#options.context;
    const wait = least([untilAvailable(snapshot), other]);
    return wait === undefined ? undefined : { requeueAfter: Math.max(0, wait - (clock.now() - snapshot.now)) };
  }
}

function least(waits: readonly (number | undefined)[]): number | undefined {
  const known = waits.filter((wait) => wait !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
