import { type Pod, isPodAvailable } from '#pkg/api';

import { type Changes, type Snapshot, isGoing, minReadySeconds } from './snapshot.ts';
import { strategyOf } from './strategy.ts';
import { isUpdated, templateGeneration } from './template.ts';

interface Pair {
  readonly node: string;
  readonly old: Pod | undefined;
  readonly current: Pod | undefined;
  /** Several of one kind: `manage` clears up before anything is done here. */
  readonly crowded: boolean;
}

/**
 * The next step of a rolling update, where `manage` had nothing to do: old Pods to delete and nodes to surge on, within
 * maxUnavailable or maxSurge (`rollingUpdate` in `pkg/controller/daemon/update.go`). Throws a RangeError for limits that
 * cannot be read.
 */
export function rollingUpdate(snapshot: Snapshot): Changes {
  const { daemonSet, nodes } = snapshot;
  const desired = nodes.filter(({ shouldRun }) => shouldRun).length;
  const strategy = strategyOf(daemonSet);
  const maxSurge = strategy.maxSurge(desired);
  const maxUnavailable = strategy.maxUnavailable(desired);
  if (maxSurge > 0) return surge(snapshot, maxSurge, desired);
  // Neither is allowed: rather one unavailable than no progress.
  return { create: [], remove: replaceInPlace(snapshot, desired > 0 ? Math.max(1, maxUnavailable) : maxUnavailable) };
}

/** Deletes old Pods; `manage` makes the new ones once they are gone. Unavailable ones go first, whatever the limit. */
function replaceInPlace(snapshot: Snapshot, maxUnavailable: number): Pod[] {
  const available = availability(snapshot);
  const broken: Pod[] = [];
  const candidates: Pod[] = [];
  let unavailable = 0;
  for (const { old, current, crowded } of pairs(snapshot)) {
    if (crowded || Boolean(old) === Boolean(current)) unavailable++;
    else if (current) unavailable += available(current) ? 0 : 1;
    else if (available(old!)) candidates.push(old!);
    else {
      broken.push(old!);
      unavailable++;
    }
  }
  return [...broken, ...candidates.slice(0, Math.max(0, maxUnavailable - unavailable))];
}

/**
 * Makes new Pods beside old ones, and deletes the old once the new are available. Old Pods of nodes that should run none
 * any more are kept until as many are available as there should be.
 */
function surge(snapshot: Snapshot, maxSurge: number, desired: number): Changes {
  const available = availability(snapshot);
  const shouldRun = new Map(snapshot.nodes.map((node) => [node.name, node.shouldRun]));
  const remove: Pod[] = [];
  const sunset: Pod[] = [];
  const broken: string[] = [];
  const candidates: string[] = [];
  let surging = 0;
  let there = 0;
  for (const { node, old, current, crowded } of pairs(snapshot)) {
    if (crowded) {
      surging++;
      continue;
    }
    const serving = old ?? current;
    if (serving && available(serving)) there++;
    // A node that is gone keeps what it has until that is cleared away.
    if (!old || !shouldRun.has(node)) continue;
    if (current) {
      if (available(current)) remove.push(old);
      else surging++;
    } else if (!available(old)) {
      if (shouldRun.get(node)) broken.push(node);
      else remove.push(old);
    } else if (shouldRun.get(node)) candidates.push(node);
    else sunset.push(old);
  }
  return {
    remove: [...remove, ...sunset.slice(0, Math.max(0, there - desired))],
    create: [...broken, ...candidates.slice(0, Math.max(0, maxSurge - surging))],
  };
}

/** Old and new Pod of every node that has Pods or should. */
function* pairs({ daemonSet, hash, nodes, podsByNode }: Snapshot): Iterable<Pair> {
  const generation = templateGeneration(daemonSet);
  for (const [node, pods] of podsByNode) {
    const live = pods.filter((pod) => !isGoing(pod));
    const current = live.filter((pod) => isUpdated(pod, hash, generation));
    const old = live.filter((pod) => !current.includes(pod));
    yield { node, old: old[0], current: current[0], crowded: old.length > 1 || current.length > 1 };
  }
  for (const { name, shouldRun } of nodes) {
    if (shouldRun && !podsByNode.has(name)) yield { node: name, old: undefined, current: undefined, crowded: false };
  }
}

function availability({ daemonSet, now }: Snapshot): (pod: Pod) => boolean {
  return (pod) => isPodAvailable(pod, minReadySeconds(daemonSet), now);
}
