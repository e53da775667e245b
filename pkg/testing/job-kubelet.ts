import { type Pod, isPodTerminal, keyOf, resources } from '#pkg/api';
import { type Clock, formatTime } from '#pkg/base';

import type { ClusterChange, FakeCluster } from './fake-cluster.ts';

/** How the containers of a Pod end. */
export interface PodEnd {
  /** From ready to ended, ms. */
  readonly after: number;
  readonly exitCode: number;
  /** The condition that the eviction or the disruption of a Pod adds. */
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

export interface JobKubeletOptions {
  readonly cluster: FakeCluster;
  readonly clock: Clock;
  /** From creation to ready, ms. */
  readonly startAfter?: (pod: Pod) => number;
  /** Undefined for a Pod that runs until it is told to go. */
  readonly ends?: (pod: Pod) => PodEnd | undefined;
  /** From told to go to ended, ms. */
  readonly terminationDelay?: (pod: Pod) => number;
}

/**
 * Runs the Pods of Jobs to their end: on a node, ready, then Succeeded or Failed as `ends` says. A Pod that is deleted fails, and
 * is removed as soon as no finalizer keeps it. Returns what ends it.
 */
export function runJobKubelet(options: JobKubeletOptions): () => void {
  const {
    cluster,
    clock,
    startAfter = () => 0,
    ends = () => ({ after: 1000, exitCode: 0 }),
    terminationDelay = () => 0,
  } = options;
  const { pods } = resources;
  const going = new Set<string>();

  /** The Pod as it is now, if it is still the same one and has not ended. */
  function running(pod: Pod): Pod | undefined {
    const live = cluster.get(pods, keyOf(pod));
    return live?.metadata.uid === pod.metadata.uid && !isPodTerminal(live) ? live : undefined;
  }

  function start(pod: Pod): void {
    const live = running(pod);
    if (!live || live.metadata.deletionTimestamp !== undefined) return;
    const lastTransitionTime = formatTime(clock.now());
    const ready = cluster.change(pods, keyOf(pod), (current) => ({
      ...current,
      spec: { ...current.spec!, nodeName: 'node-1' },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }] },
    }));
    const end = ends(ready);
    if (end) clock.setTimeout(() => finish(pod, end), end.after);
  }

  function finish(pod: Pod, { exitCode, conditions = [] }: Omit<PodEnd, 'after'>): void {
    if (!running(pod)) return;
    const time = formatTime(clock.now());
    cluster.change(pods, keyOf(pod), (current) => ({
      ...current,
      status: {
        phase: exitCode === 0 ? 'Succeeded' : 'Failed',
        conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: time }, ...conditions],
        containerStatuses: current.spec!.containers.map(({ name, image = '' }) => ({
          name,
          image,
          imageID: '',
          ready: false,
          restartCount: 0,
          state: { terminated: { exitCode, finishedAt: time } },
        })),
      },
    }));
  }

  function remove(pod: Pod): void {
    const live = cluster.get(pods, keyOf(pod));
    if (live?.metadata.uid === pod.metadata.uid && !live.metadata.finalizers?.length) cluster.finish(pods, keyOf(pod));
  }

  return cluster.onChange(({ type, resource, object }: ClusterChange) => {
    if (resource.kind !== 'Pod' || type === 'DELETED') return;
    const pod = object as Pod;
    if (type === 'ADDED' && !isPodTerminal(pod)) clock.setTimeout(() => start(pod), startAfter(pod));
    if (pod.metadata.deletionTimestamp === undefined) return;
    if (isPodTerminal(pod)) {
      clock.setTimeout(() => remove(pod), 0);
    } else if (!going.has(pod.metadata.uid)) {
      going.add(pod.metadata.uid);
      clock.setTimeout(() => finish(pod, { exitCode: 143 }), terminationDelay(pod));
    }
  });
}
