import {
  type ControllerRevision,
  type ObjectKey,
  type PersistentVolumeClaim,
  type Pod,
  type Selector,
  SelectorError,
  type StatefulSet,
  resources,
} from '#pkg/api';
import type { Lister } from '#pkg/cache';
import {
  type ControllerContext,
  type Owners,
  type ConsistencyStore,
  claim,
  dependentsOf,
  orphansFor,
} from '#pkg/controller';

import { type History, sortRevisions } from '../internal/history/index.ts';
import type { Departures } from './departures.ts';
import { isMemberOf } from './identity.ts';

export interface Readers {
  readonly context: Pick<ControllerContext, 'client' | 'recorder' | 'clock' | 'log' | 'metrics' | 'featureGates'>;
  readonly sets: Owners<StatefulSet>;
  readonly pods: Lister<Pod>;
  readonly claims: Lister<PersistentVolumeClaim>;
  readonly history: History<StatefulSet>;
  readonly departures: Departures;
  readonly consistency: ConsistencyStore | undefined;
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
  const { sets, history } = readers;
  const set = sets.lister.get(key);
  if (!set) return undefined;
  let selector: Selector;
  try {
    selector = sets.selectorOf(set);
  } catch (error) {
    if (error instanceof SelectorError) return error;
    throw error;
  }
  const revisions = sortRevisions(await history.claim(set, selector, set.spec?.selector, { signal }));
  return { set, revisions, pods: await claimPods(key, set, selector, readers, signal) };
}

/** By selector and by name: `web-0` of a set called `web`. */
async function claimPods(
  key: ObjectKey,
  set: StatefulSet,
  selector: Selector,
  { context, pods, departures, consistency }: Readers,
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  const { uid, namespace = '' } = set.metadata;
  const claimed = await claim({
    owner: set,
    ownerType: resources.statefulSets,
    type: resources.pods,
    selector,
    candidates: [...dependentsOf(pods, uid), ...orphansFor(pods, namespace, set.spec?.selector)],
    filter: (pod) => isMemberOf(set, pod),
    ownerClient: context.client.resource(resources.statefulSets),
    client: context.client.resource(resources.pods),
    wrote: (pod) => consistency?.wroteAt(key, uid, resources.pods, pod.metadata.resourceVersion),
    log: context.log,
    signal,
  });
  const now = context.clock.now();
  return claimed.map((pod) => departures.corrected(pod, now));
}
