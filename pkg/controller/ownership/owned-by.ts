import { type KubeObject, type ResourceType, controllerOf, keyOf } from '#pkg/api';
import { semanticEqual } from '#pkg/base';
import type { Logger } from '#pkg/log';

import type { Expectations } from './expectations.ts';
import { logName } from '../objects/log-name.ts';
import type { Owners } from './owners.ts';
import { type Enqueue, type Trigger, on } from '../source/triggers.ts';

export interface OwnedByOptions<Owner extends KubeObject, T extends KubeObject> {
  /** Told of creations and deletions before the owner is enqueued. */
  readonly expectations?: Expectations;
  /** Told of orphans that more than one owner selects: a mistake of the user, with which the first to adopt wins. */
  readonly log?: Logger;
  /** More to enqueue when a dependent of `owner` changed. */
  readonly onUpdate?: (owner: Owner, old: T, current: T) => readonly Enqueue[];
}

/**
 * Changes of a dependent enqueue its owner: the controller it names or, for an orphan that is new or whose labels or
 * owner changed, every owner that selects it, so that one may adopt it. A change of owner enqueues the old one too. A
 * deletion counts when its timestamp is set, and again means nothing (`addPod`, `updatePod` and `deletePod` in
 * `pkg/controller/replicaset/replica_set.go`).
 */
export function ownedBy<Owner extends KubeObject, T extends KubeObject>(
  resource: ResourceType<T>,
  owners: Pick<Owners<Owner>, 'controllerOf' | 'matching'>,
  options: OwnedByOptions<Owner, T> = {},
): Trigger<T> {
  const { expectations, log, onUpdate } = options;

  function selecting(orphan: T): readonly Enqueue[] {
    const keys = owners.matching(orphan).map(keyOf);
    if (keys.length > 1)
      log?.error('More than one owner selects an object', undefined, {
        [logName(resource)]: keyOf(orphan),
        owners: keys,
      });
    return keys;
  }

  function add(object: T): readonly Enqueue[] {
    // After a restart an object may be first seen while it is being deleted: that is no creation.
    if (object.metadata.deletionTimestamp !== undefined) return remove(object);
    if (!controllerOf(object)) return selecting(object);
    const owner = owners.controllerOf(object);
    if (!owner) return [];
    expectations?.creationObserved(keyOf(owner));
    return [keyOf(owner)];
  }

  function update(old: T, current: T): readonly Enqueue[] {
    const labelsChanged = !semanticEqual(old.metadata.labels ?? {}, current.metadata.labels ?? {});
    if (current.metadata.deletionTimestamp !== undefined)
      return [...remove(current), ...(labelsChanged ? remove(old) : [])];

    const keys: Enqueue[] = [];
    const before = controllerOf(old);
    const after = controllerOf(current);
    const ownerChanged = !semanticEqual(before, after);
    const oldOwner = ownerChanged && before ? owners.controllerOf(old) : undefined;
    if (oldOwner) keys.push(keyOf(oldOwner));
    if (after) {
      const owner = owners.controllerOf(current);
      if (owner) keys.push(keyOf(owner), ...(onUpdate?.(owner, old, current) ?? []));
    } else if (labelsChanged || ownerChanged) {
      keys.push(...selecting(current));
    }
    return keys;
  }

  function remove(object: T): readonly Enqueue[] {
    const owner = owners.controllerOf(object);
    if (!owner) return [];
    expectations?.deletionObserved(keyOf(owner), object.metadata.uid);
    return [keyOf(owner)];
  }

  return on<T>(resource, { add, update, delete: remove });
}
