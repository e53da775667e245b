import {
  type ControllerRevision,
  type DaemonSet,
  type Node,
  type ObjectKey,
  type Pod,
  controllerOf,
  keyOf,
  makeKey,
  resources,
} from '#pkg/api';
import { semanticEqual } from '#pkg/base';
import type { Lister, SharedInformer } from '#pkg/cache';
import { type Trigger, on } from '#pkg/controller';

import type { Placement } from './placement.ts';
import { targetNode } from './template.ts';

const TARGET_INDEX = 'target-node';

function indexByTarget(pod: Pod): readonly string[] {
  const node = targetNode(pod);
  return node === undefined ? [] : [node];
}

/** Lets {@link affectedBy} find the Pods on and for a node. */
export function indexByTargetNode(pods: Pick<SharedInformer<Pod>, 'addIndex'>): void {
  pods.addIndex(TARGET_INDEX, indexByTarget);
}

/** As for any dependent; that a revision of its own was made is no news for a DaemonSet. */
export function onRevision({ resource, handlers }: Trigger<ControllerRevision>): Trigger<ControllerRevision> {
  const isOurs = (revision: ControllerRevision): boolean =>
    revision.metadata.deletionTimestamp === undefined && controllerOf(revision) !== undefined;
  return on(resource, { ...handlers, add: (revision) => (isOurs(revision) ? [] : (handlers.add?.(revision) ?? [])) });
}

/** Of a node only labels and taints matter, not the heartbeat in its status. Its own key: see {@link affectedBy}. */
export const onNode: Trigger<Node> = on(resources.nodes, {
  add: (node) => [keyOf(node)],
  update(old, current) {
    const same =
      semanticEqual(old.metadata.labels ?? {}, current.metadata.labels ?? {}) &&
      semanticEqual(old.spec?.taints, current.spec?.taints);
    return same ? [] : [keyOf(current)];
  },
});

/** A node that is gone changes the counts of what ran there, and leaves Pods that never got there. */
export function onNodeGone(daemonSets: Lister<DaemonSet>, placement: Placement): Trigger<Node> {
  return on(resources.nodes, {
    delete: (node) =>
      [...daemonSets.list()].filter((daemonSet) => placement.verdict(daemonSet, node).mayStay).map(keyOf),
  });
}

export interface NodeReaders {
  readonly daemonSets: Lister<DaemonSet>;
  /** Of an informer that {@link indexByTargetNode} was called with. */
  readonly pods: Lister<Pod>;
  readonly placement: Placement;
}

/**
 * DaemonSets for which a node that changed makes a difference: a Pod is missing there, or one is in the wrong place, or
 * in the right one by now. One verdict a DaemonSet, and no look at other nodes (`syncNodeUpdate` in
 * `pkg/controller/daemon`).
 */
export function affectedBy(node: Node, { daemonSets, pods, placement }: NodeReaders): ObjectKey[] {
  const running = new Set<ObjectKey>();
  for (const pod of pods.byIndex(TARGET_INDEX, node.metadata.name)) {
    const owner = controllerOf(pod);
    if (owner?.kind === resources.daemonSets.kind) running.add(makeKey(pod.metadata.namespace, owner.name));
  }
  const keys: ObjectKey[] = [];
  for (const daemonSet of daemonSets.list()) {
    const key = keyOf(daemonSet);
    const { shouldRun } = placement.verdict(daemonSet, node);
    const scheduled = running.has(key);
    const misplaced = (daemonSet.status?.numberMisscheduled ?? 0) > 0;
    if (scheduled ? !shouldRun || misplaced : shouldRun) keys.push(key);
  }
  return keys;
}
