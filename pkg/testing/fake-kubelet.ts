import { type Pod, isPodReady, isPodTerminal, keyOf, resources } from '#pkg/api';
import { type Clock, formatTime } from '#pkg/base';

import type { ClusterChange, FakeCluster } from './fake-cluster.ts';

export interface FakeKubeletOptions {
  readonly cluster: FakeCluster;
  readonly clock: Clock;
  /** From creation to ready, ms; undefined for a Pod that never gets there. */
  readonly startAfter?: (pod: Pod) => number | undefined;
  /** From the deletion's begin to the end, ms. */
  readonly endAfter?: (pod: Pod) => number;
  readonly nodes?: readonly string[];
  /** The node a Pod is to go to; one of `nodes` in turn where missing. */
  readonly nodeOf?: (pod: Pod) => string | undefined;
}

/** Puts Pods on nodes, makes them run and be ready, and ends those being deleted. Returns what ends it. */
export function runFakeKubelet({
  cluster,
  clock,
  startAfter = () => 0,
  endAfter = () => 0,
  nodes = ['node-1'],
  nodeOf,
}: FakeKubeletOptions): () => void {
  const { pods } = resources;
  let next = 0;

  function start(pod: Pod): void {
    if (isPodTerminal(pod) || isPodReady(pod)) return;
    const delay = startAfter(pod);
    if (delay === undefined) return;
    clock.setTimeout(() => {
      const live = cluster.get(pods, keyOf(pod));
      if (live?.metadata.uid !== pod.metadata.uid || live.metadata.deletionTimestamp !== undefined) return;
      const lastTransitionTime = formatTime(clock.now());
      cluster.change(pods, keyOf(pod), (current) => ({
        ...current,
        spec: { ...current.spec!, nodeName: nodeOf?.(pod) ?? nodes[next++ % nodes.length]! },
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }] },
      }));
    }, delay);
  }

  function end(pod: Pod): void {
    clock.setTimeout(() => {
      if (cluster.get(pods, keyOf(pod))?.metadata.uid === pod.metadata.uid) cluster.finish(pods, keyOf(pod));
    }, endAfter(pod));
  }

  const ending = new Set<string>();
  return cluster.onChange(({ type, resource, object }: ClusterChange) => {
    if (resource.kind !== 'Pod' || type === 'DELETED') return;
    const pod = object as Pod;
    if (type === 'ADDED') start(pod);
    if (pod.metadata.deletionTimestamp === undefined || ending.has(pod.metadata.uid)) return;
    ending.add(pod.metadata.uid);
    end(pod);
  });
}
