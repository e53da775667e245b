import { type PersistentVolumeClaim, type StatefulSet, makeKey, resources } from '#pkg/api';
import type { Lister } from '#pkg/cache';
import { type Enqueue, type Trigger, on } from '#pkg/controller';

import { claimNames, retentionOf } from './claims.ts';
import { parentAndOrdinal } from './identity.ts';

/**
 * A claim that went with its scaled down Pod may be what a new Pod of that name waits for. Nothing else would wake the
 * set then.
 */
export function onClaimGone(sets: Lister<StatefulSet>): Trigger<PersistentVolumeClaim> {
  return on(resources.persistentVolumeClaims, {
    delete({ metadata }): readonly Enqueue[] {
      const pod = metadata.ownerReferences?.find(({ kind, apiVersion }) => kind === 'Pod' && apiVersion === 'v1');
      const parent = pod && parentAndOrdinal(pod.name);
      if (!parent) return [];
      const key = makeKey(metadata.namespace, parent.parent);
      const set = sets.get(key);
      if (!set || retentionOf(set).whenScaled !== 'Delete') return [];
      return claimNames(set, parent.ordinal).includes(metadata.name) ? [key] : [];
    },
  });
}
