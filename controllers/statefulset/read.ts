import {
  type ControllerRevision,
  type ObjectKey,
  type PersistentVolumeClaim,
  type Pod,
  SelectorError,
  type StatefulSet,
} from '#pkg/api';
import type { ControllerContext, OwnedObjects, OwnedPods, OwnedWrites, Ownership } from '#pkg/controller';

import { type History, sortRevisions } from '../internal/history/index.ts';
import type { Departures } from './departures.ts';

export interface Readers {
  readonly context: Pick<ControllerContext, 'recorder' | 'clock' | 'log'>;
  readonly sets: Ownership<StatefulSet>;
  /** By selector and by name: `web-0` of a set called `web`. */
  readonly pods: OwnedPods<StatefulSet>;
  readonly revisions: OwnedObjects<StatefulSet, ControllerRevision>;
  readonly claims: OwnedWrites<StatefulSet, PersistentVolumeClaim>;
  readonly history: History<StatefulSet>;
  readonly departures: Departures;
}

/** A set with what it manages, after adoption and release. */
export interface Gathering {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  /** Sorted, the newest last. */
  readonly revisions: readonly ControllerRevision[];
}

/** Undefined where the set is gone; an error where its selector is invalid, so that nothing can be said of its Pods. */
export async function gather(
  key: ObjectKey,
  readers: Readers,
  signal: AbortSignal,
): Promise<Gathering | SelectorError | undefined> {
  const { context, sets, departures } = readers;
  const set = sets.lister.get(key);
  if (!set) return undefined;
  try {
    const revisions = sortRevisions(await readers.revisions.claim(set, signal));
    const pods = await readers.pods.claim(set, signal);
    const now = context.clock.now();
    return { set, revisions, pods: pods.map((pod) => departures.corrected(pod, now)) };
  } catch (error) {
    if (error instanceof SelectorError) return error;
    throw error;
  }
}
