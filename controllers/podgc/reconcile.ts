import { type Node, type Pod, isConflict, isNotFound, isPodTerminal, keyOf, resources } from '#pkg/api';
import { formatTime } from '#pkg/base';
import type { SharedInformer } from '#pkg/cache';
import { ignoreNotFound } from '#pkg/client';
import { type ControllerContext, inParallel, indexPodsByNode, podsOnNode } from '#pkg/controller';
import type { Counter } from '#pkg/metrics';

import { LostNodes } from './lost-nodes.ts';
import { type Victim, isHeldByFinalizers, isTerminated, isTerminating, victimsOf } from './rules.ts';

export interface CollectorOptions {
  readonly context: Pick<ControllerContext, 'client' | 'clock' | 'log' | 'metrics'>;
  readonly pods: SharedInformer<Pod>;
  readonly nodes: SharedInformer<Node>;
  /** Terminated Pods that are kept; all of them where not positive. */
  readonly threshold: number;
}

/** Index of the Pods that the collector may have to do with: most Pods are in none of its buckets. */
const STATE_INDEX = 'end-of-life';

function stateOf(pod: Pod): readonly string[] {
  return [...(isTerminated(pod) ? ['terminated'] : []), ...(isTerminating(pod) ? ['terminating'] : [])];
}

/** Finds the Pods that nobody else will ever clear away, and deletes them by force. */
export class Collector {
  readonly #options: CollectorOptions;
  readonly #lost = new LostNodes();
  readonly #deleted: Counter<'namespace' | 'reason'>;
  readonly #errors: Counter<'namespace' | 'reason'>;
  readonly #handlers: readonly { hasSynced(): boolean; remove(): void }[];

  /** Adds indexes and handlers to the informers. */
  constructor(options: CollectorOptions) {
    const { context, pods, nodes } = options;
    this.#options = options;
    const counter = (name: string, help: string): Counter<'namespace' | 'reason'> =>
      context.metrics.counter({
        name: `pod_gc_collector_${name}`,
        help,
        stability: 'ALPHA',
        labels: ['namespace', 'reason'],
      });
    this.#deleted = counter('force_delete_pods_total', 'Number of Pods deleted by force since the start.');
    this.#errors = counter(
      'force_delete_pod_errors_total',
      'Number of errors when deleting Pods by force since the start.',
    );
    pods.addIndex(STATE_INDEX, stateOf);
    indexPodsByNode(pods);
    const assigned = ({ spec }: Pod): void => {
      if (spec?.nodeName && !nodes.lister.get(spec.nodeName)) this.#lost.suspect(spec.nodeName);
    };
    const name = { name: 'pod-garbage-collector-controller', resyncPeriod: 0 };
    this.#handlers = [
      pods.addEventHandler(
        {
          onAdd: assigned,
          onUpdate: (old, current) => {
            if (old.spec?.nodeName !== current.spec?.nodeName) assigned(current);
          },
        },
        name,
      ),
      nodes.addEventHandler({ onDelete: (node) => this.#lost.suspect(node.metadata.name) }, name),
    ];
  }

  /** The handlers have been told of everything there was. */
  hasSynced(): boolean {
    return this.#handlers.every((handler) => handler.hasSynced());
  }

  close(): void {
    for (const handler of this.#handlers) handler.remove();
  }

  /** One look at everything. Fails for no single Pod: what could not be done is done at the next. */
  async collect(signal: AbortSignal): Promise<void> {
    const { pods, nodes, threshold } = this.#options;
    const gone = await this.#goneNodes(signal);
    const found = {
      terminated: threshold > 0 ? pods.lister.byIndex(STATE_INDEX, 'terminated') : [],
      terminating: pods.lister.byIndex(STATE_INDEX, 'terminating'),
      orphaned: gone.flatMap((name) => podsOnNode(pods.lister, name)),
    };
    const victims = victimsOf(found, threshold, (name) => nodes.lister.get(name));
    await inParallel(victims, (victim) => this.#delete(victim, signal));
  }

  /** Nodes that have Pods and that the server does not have, either. */
  async #goneNodes(signal: AbortSignal): Promise<readonly string[]> {
    const { context, pods, nodes } = this.#options;
    const hasPods = (name: string): boolean => podsOnNode(pods.lister, name).some((pod) => !isHeldByFinalizers(pod));
    const isLost = (name: string): boolean => nodes.lister.get(name) === undefined && hasPods(name);
    const gone: string[] = [];
    await inParallel(this.#lost.due(isLost, context.clock.monotonic()), async (name) => {
      try {
        const live = context.client.resource(resources.nodes);
        const node = await ignoreNotFound(live.get({ name }, { metadataOnly: true, signal }));
        if (node) this.#lost.found(name);
        else gone.push(name);
      } catch (error) {
        if (!signal.aborted) context.log.error('Error while getting node', error, { node: name });
      }
    });
    return gone;
  }

  /**
   * Deletes the Pod as the cache has it now: requests wait for their turn, and of thousands of Pods many have gone
   * meanwhile without our doing.
   */
  async #delete({ pod: found, reason }: Victim, signal: AbortSignal): Promise<void> {
    const { log } = this.#options.context;
    const pod = this.#options.pods.lister.get(keyOf(found));
    if (pod?.metadata.uid !== found.metadata.uid || isHeldByFinalizers(pod)) return;
    const labels = { namespace: pod.metadata.namespace ?? '', reason };
    log.info('PodGC is force deleting Pod', { pod: keyOf(pod), reason });
    try {
      await this.#markFailed(pod, reason === 'orphaned', signal);
      // Another Pod of this name is none of ours.
      const preconditions = { uid: pod.metadata.uid };
      await this.#options.context.client
        .resource(resources.pods)
        .delete(pod.metadata, { gracePeriodSeconds: 0, preconditions, signal });
    } catch (error) {
      if (signal.aborted) return;
      if (!isNotFound(error) && !isConflict(error)) {
        log.error('Failed to delete Pod', error, { pod: keyOf(pod), reason });
        this.#errors.inc(labels);
      }
    }
    this.#deleted.inc(labels);
  }

  /**
   * A Pod is Failed before it goes, so that whoever counts failures (Jobs) sees one: on a node that is gone no kubelet
   * will say so. Of an orphan the patch tells why, too (KEP-3329).
   */
  async #markFailed(pod: Pod, orphaned: boolean, signal: AbortSignal): Promise<void> {
    if (isPodTerminal(pod)) return;
    const { uid, generation } = pod.metadata;
    const observed = generation === undefined ? {} : { observedGeneration: generation };
    const conditions = orphaned ? { conditions: [{ ...this.#deletionByPodGC(pod), ...observed }] } : {};
    const body = { metadata: { uid }, status: { phase: 'Failed', ...observed, ...conditions } };
    await this.#options.context.client
      .resource(resources.pods)
      .patch(pod.metadata, 'strategic', body, { subresource: 'status', metadataOnly: true, signal });
  }

  #deletionByPodGC({ status }: Pod): object {
    const type = 'DisruptionTarget';
    const before = status?.conditions?.find((condition) => condition.type === type);
    const lastTransitionTime =
      before?.status === 'True' ? before.lastTransitionTime : formatTime(this.#options.context.clock.now());
    return {
      type,
      status: 'True',
      reason: 'DeletionByPodGC',
      message: 'PodGC: node no longer exists',
      lastTransitionTime,
    };
  }
}
