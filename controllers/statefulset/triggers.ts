import {
  type ControllerRevision,
  type PersistentVolumeClaim,
  type StatefulSet,
  controllerOf,
  keyOf,
  resources,
} from '#pkg/api';
import { semanticEqual } from '#pkg/base';
import { type Enqueue, type Owners, type Trigger, on } from '#pkg/controller';

import { claimNames } from './claims.ts';
import { parentAndOrdinal } from './identity.ts';

/**
 * A claim that went with its scaled down Pod may be what a new Pod of that name waits for, and one whose owners others
 * have changed may need them put right. Nothing else would wake the set then. Claims carry the labels that their set
 * selects by.
 */
export function onClaimChange(sets: Pick<Owners<StatefulSet>, 'matching'>): Trigger<PersistentVolumeClaim> {
  const keys = (claim: PersistentVolumeClaim): readonly Enqueue[] => {
    const ordinal = parentAndOrdinal(claim.metadata.name)?.ordinal;
    if (ordinal === undefined) return [];
    return sets
      .matching(claim)
      .flatMap((set) => (claimNames(set, ordinal).includes(claim.metadata.name) ? [keyOf(set)] : []));
  };
  return on(resources.persistentVolumeClaims, {
    update: (old, claim) =>
      semanticEqual(old.metadata.ownerReferences, claim.metadata.ownerReferences) ? [] : keys(claim),
    delete: keys,
  });
}

/**
 * A revision without owner waits to be adopted, one that is gone may have to be made again: a set of this name that came
 * after another one finds the other's revisions until they are let go or collected.
 */
export function onRevisionFree(sets: Pick<Owners<StatefulSet>, 'matching'>): Trigger<ControllerRevision> {
  const keys = (revision: ControllerRevision): readonly Enqueue[] => sets.matching(revision).map(keyOf);
  const whenFree = (revision: ControllerRevision): readonly Enqueue[] => (controllerOf(revision) ? [] : keys(revision));
  return on(resources.controllerRevisions, {
    add: whenFree,
    update: (_old, revision) => whenFree(revision),
    delete: keys,
  });
}
