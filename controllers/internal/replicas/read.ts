import {
  type KubeObject,
  type ObjectKey,
  type Pod,
  type Selector,
  SelectorError,
  controllerOf,
  isPodTerminating,
} from '#pkg/api';
import { type OwnedPods, type Ownership, dependentsOf, filterClaimed } from '#pkg/controller';

import type { ReplicaKind, ReplicaSpec } from './kind.ts';

export interface Readers<Owner extends KubeObject> {
  readonly kind: ReplicaKind<Owner>;
  readonly owners: Ownership<Owner>;
  readonly pods: OwnedPods<Owner>;
}

/** What the caches show of one owner. */
export interface Snapshot<Owner extends KubeObject> {
  readonly owner: Owner;
  readonly spec: ReplicaSpec;
  /** Pods that name the owner as their controller. */
  readonly owned: readonly Pod[];
  /** Managed and selected, and on their way out. */
  readonly terminating: readonly Pod[];
}

/** Missing when the owner is gone; an error when its selector is invalid and nothing can be said about its Pods. */
export function gather<Owner extends KubeObject>(
  { kind, owners, pods }: Readers<Owner>,
  key: ObjectKey,
): Snapshot<Owner> | SelectorError | undefined {
  const owner = owners.lister.get(key);
  if (!owner) return undefined;
  let selector: Selector;
  try {
    selector = owners.selectorOf(owner);
  } catch (error) {
    if (error instanceof SelectorError) return error;
    throw error;
  }
  const owned = pods.of(owner);
  const terminating = filterClaimed(owner, selector, owned.filter(isPodTerminating));
  return { owner, spec: kind.spec(owner), owned, terminating };
}

/**
 * Pods of all owners that have the same controller as `owner`, and the orphans they select: companions on a node count
 * against a Pod across the ReplicaSets of one Deployment. None for an owner without controller.
 */
export function relatedPods<Owner extends KubeObject>({ owners, pods }: Readers<Owner>, owner: Owner): readonly Pod[] {
  const controller = controllerOf(owner);
  if (!controller) return [];
  const related = new Set<Pod>();
  for (const sibling of dependentsOf(owners.lister, controller.uid)) {
    for (const pod of [...pods.of(sibling), ...pods.orphansOf(sibling)]) related.add(pod);
  }
  return [...related];
}
