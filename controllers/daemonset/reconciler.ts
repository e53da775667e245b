import {
  type ControllerRevision,
  type DaemonSet,
  type Node,
  type ObjectKey,
  type Pod,
  type Selector,
  keyOf,
  resources,
} from '#pkg/api';
import type { Lister } from '#pkg/cache';
import {
  type ControllerContext,
  Expectations,
  type Owners,
  PodControl,
  type ReconcileResult,
  type ConsistencyStore,
  claim,
  dependentsOf,
  orphansFor,
} from '#pkg/controller';

import { History } from '../internal/history/index.ts';
import { type Writing, carryOut, writeStatus } from './write.ts';
import { FailedPods } from './failed-pods.ts';
import { type HistoryTools, keepHistory, removeRevisions } from './history.ts';
import { manage } from './manage.ts';
import type { Placement } from './placement.ts';
import { obsolete } from './revisions.ts';
import { rollingUpdate } from './rolling.ts';
import { type Snapshot, groupByNode } from './snapshot.ts';
import { countStatus, untilAvailable } from './status.ts';
import { strategyOf } from './strategy.ts';
import { HASH } from './template.ts';

export interface ReconcilerOptions {
  readonly context: Pick<ControllerContext, 'client' | 'recorder' | 'clock' | 'log'>;
  readonly daemonSets: Owners<DaemonSet>;
  readonly nodes: Lister<Node>;
  readonly pods: Lister<Pod>;
  readonly revisions: Lister<ControllerRevision>;
  readonly placement: Placement;
  /** Missing where nobody waits for the caches. */
  readonly consistency: ConsistencyStore | undefined;
}

/** Brings the Pods, revisions and status of one DaemonSet nearer to its spec. */
export class Reconciler {
  readonly expectations: Expectations;
  readonly #options: ReconcilerOptions;
  readonly #failedPods = new FailedPods();
  readonly #writing: Writing;
  readonly #history: HistoryTools;

  constructor(options: ReconcilerOptions) {
    const { context, revisions, consistency } = options;
    const { client, clock, log } = context;
    const ownerType = resources.daemonSets;
    this.#options = options;
    this.expectations = new Expectations({ resource: ownerType, clock, log });
    const podControl = new PodControl<DaemonSet>(context, {
      ownerType,
      wrote: (owner, pod) => this.#wrote(owner, resources.pods, pod),
    });
    this.#writing = { context, expectations: this.expectations, podControl };
    this.#history = { context, consistency, history: new History({ ownerType, revisions, client, consistency, log }) };
  }

  /** The DaemonSet is gone: another one of its name starts clean. */
  forget(daemonSet: DaemonSet): void {
    const key = keyOf(daemonSet);
    this.#options.consistency?.clear(key, daemonSet.metadata.uid);
    this.expectations.forget(key);
    this.#failedPods.forget(daemonSet);
  }

  /** In the order of `syncDaemonSet`: revisions, Pods, clean-up, and the status whatever became of those. */
  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult | void> {
    const { context, daemonSets } = this.#options;
    const mayChange = this.expectations.satisfied(key);
    const daemonSet = daemonSets.lister.get(key);
    if (!daemonSet) {
      this.#options.consistency?.clear(key);
      return this.expectations.forget(key);
    }
    if (selectsAll(daemonSet)) {
      const message = 'This daemon set is selecting all pods. A non-empty selector is required.';
      return context.recorder.event(daemonSet, 'Warning', 'SelectingAll', message);
    }
    if (daemonSet.metadata.deletionTimestamp !== undefined) return undefined;

    const selector = daemonSets.selectorOf(daemonSet);
    let claimed: Promise<readonly Pod[]> | undefined;
    const pods = (): Promise<readonly Pod[]> => (claimed ??= this.#claimPods(daemonSet, selector, signal));
    const kept = await keepHistory(daemonSet, selector, this.#history, pods, signal);
    const snapshot = this.#snapshot(daemonSet, kept.current.metadata.labels?.[HASH] ?? '', await pods());
    if (!mayChange) {
      await this.#writeStatus(snapshot, false, signal);
      // What was expected may never come (it happened between two lists): nothing else would wake the key then.
      return this.#comeBack(snapshot, this.expectations.expiresIn(key));
    }
    let lingering: number | undefined;
    let failure: unknown;
    try {
      lingering = await this.#changePods(snapshot, signal);
      await removeRevisions(this.#history.history, obsolete(daemonSet, kept.old, await pods()), signal);
    } catch (error) {
      failure = error;
    }
    signal.throwIfAborted();
    try {
      await this.#writeStatus(snapshot, true, signal);
    } catch (error) {
      if (failure === undefined) throw error;
      context.log.error('Failed to update status', error, { daemonSet: key });
    }
    if (failure !== undefined) throw failure;
    return this.#comeBack(snapshot, lingering);
  }

  #claimPods(daemonSet: DaemonSet, selector: Selector, signal: AbortSignal): Promise<readonly Pod[]> {
    const { context, pods } = this.#options;
    const { uid, namespace = '' } = daemonSet.metadata;
    return claim({
      owner: daemonSet,
      ownerType: resources.daemonSets,
      type: resources.pods,
      selector,
      candidates: [...dependentsOf(pods, uid), ...orphansFor(pods, namespace, daemonSet.spec?.selector)],
      ownerClient: context.client.resource(resources.daemonSets),
      client: context.client.resource(resources.pods),
      wrote: (pod) => this.#wrote(daemonSet, resources.pods, pod),
      log: context.log,
      signal,
    });
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
    const { context } = this.#options;
    const { daemonSet, hash } = snapshot;
    const now = context.clock.monotonic();
    const wait = (node: string): number | undefined => this.#failedPods.wait(daemonSet, node, now);
    const management = manage(snapshot, (node) => wait(node) !== undefined);
    for (const node of management.failedOn) this.#failedPods.removed(daemonSet, node, now);
    for (const { type, reason, message } of management.reports)
      context.recorder.event(daemonSet, type, reason, message);
    await carryOut(daemonSet, hash, management, this.#writing, signal);
    const settled = management.create.length + management.remove.length === 0;
    if (settled && !strategyOf(daemonSet).onDelete)
      await carryOut(daemonSet, hash, rollingUpdate(snapshot), this.#writing, signal);
    return least(management.lingering.map(wait));
  }

  async #writeStatus(snapshot: Snapshot, observed: boolean, signal: AbortSignal): Promise<void> {
    const { daemonSet } = snapshot;
    const client = this.#options.context.client.resource(resources.daemonSets);
    const written = await writeStatus(daemonSet, countStatus(snapshot, { observed }), client, signal);
    if (written) this.#wrote(written, resources.daemonSets, written);
  }

  #comeBack(snapshot: Snapshot, other: number | undefined): ReconcileResult | undefined {
    const { clock } = this.#options.context;
    const wait = least([untilAvailable(snapshot), other]);
    return wait === undefined ? undefined : { requeueAfter: Math.max(0, wait - (clock.now() - snapshot.now)) };
  }

  #wrote(daemonSet: DaemonSet, type: Parameters<ConsistencyStore['wroteAt']>[2], object: Pod | DaemonSet): void {
    this.#options.consistency?.wroteAt(keyOf(daemonSet), daemonSet.metadata.uid, type, object.metadata.resourceVersion);
  }
}

/** An empty selector would make every Pod of the namespace ours. */
function selectsAll({ spec }: DaemonSet): boolean {
  const { matchLabels = {}, matchExpressions = [] } = spec?.selector ?? {};
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

function least(waits: readonly (number | undefined)[]): number | undefined {
  const known = waits.filter((wait) => wait !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
