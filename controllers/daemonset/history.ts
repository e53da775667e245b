import {
  type ControllerRevision,
  type DaemonSet,
  type Pod,
  type Selector,
  isAlreadyExists,
  isNotFound,
  keyOf,
  resources,
} from '#pkg/api';
import { type ControllerContext, type ConsistencyStore, inParallel } from '#pkg/controller';

import type { History } from '../internal/history/index.ts';
import { type Parted, draftRevision, isCurrent, part } from './revisions.ts';
import { HASH } from './template.ts';

export interface HistoryTools {
  readonly context: Pick<ControllerContext, 'client' | 'log'>;
  readonly history: History<DaemonSet>;
  readonly consistency: ConsistencyStore | undefined;
}

/** The revisions as they stand once the newest template has its own, with the highest number. */
export interface Kept {
  readonly current: ControllerRevision;
  /** Oldest first. */
  readonly old: readonly ControllerRevision[];
}

/**
 * Claims the DaemonSet's revisions, and sees to it that exactly one is of its template: creates it, gives it the highest
 * number after a rollback, or clears duplicates away (`constructHistory` in `pkg/controller/daemon/update.go`). `pods`
 * answers the DaemonSet's Pods, for the rare case that some were made by a duplicate.
 */
export async function keepHistory(
  daemonSet: DaemonSet,
  selector: Selector,
  tools: HistoryTools,
  pods: () => Promise<readonly Pod[]>,
  signal: AbortSignal,
): Promise<Kept> {
  const claimed = await tools.history.claim(daemonSet, selector, daemonSet.spec?.selector, { release: true, signal });
  const labelled = await Promise.all(claimed.map((revision) => withHash(daemonSet, revision, tools, signal)));
  const parted = part(daemonSet, labelled);
  const found = parted.current.at(-1);
  if (!found) return { current: await create(daemonSet, parted.next, tools, signal), old: parted.old };
  if (parted.current.length > 1) await deduplicate(daemonSet, found, parted, tools, await pods(), signal);
  const current =
    found.revision < parted.next ? await tools.history.renumber(daemonSet, found, parted.next, signal) : found;
  return { current, old: parted.old };
}

/** Very old revisions have no hash: their name serves as well. */
async function withHash(
  daemonSet: DaemonSet,
  revision: ControllerRevision,
  tools: HistoryTools,
  signal: AbortSignal,
): Promise<ControllerRevision> {
  const { labels = {}, name, uid } = revision.metadata;
  if (labels[HASH] !== undefined) return revision;
  const body = { metadata: { uid, labels: { [HASH]: name } } };
  const written = await tools.context.client
    .resource(resources.controllerRevisions)
    .patch(revision.metadata, 'merge', body, { signal });
  tools.consistency?.wroteAt(
    keyOf(daemonSet),
    daemonSet.metadata.uid,
    resources.controllerRevisions,
    written.metadata.resourceVersion,
  );
  return written;
}

/** A name taken by another template is a collision, which the status counts so that the next try has another name. */
async function create(
  daemonSet: DaemonSet,
  number: number,
  { context, history, consistency }: HistoryTools,
  signal: AbortSignal,
): Promise<ControllerRevision> {
  const draft = draftRevision(daemonSet, number);
  try {
    return await history.store(daemonSet, draft, signal);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const name = { name: draft.object.metadata.name!, namespace: daemonSet.metadata.namespace! };
    const existing = await context.client.resource(resources.controllerRevisions).get(name, { signal });
    if (isCurrent(daemonSet, existing)) return existing;
    const daemonSets = context.client.resource(resources.daemonSets);
    const live = await daemonSets.get(daemonSet.metadata, { signal });
    // Counted already, and the cache does not know yet: the next sync will have the next name.
    if ((live.status?.collisionCount ?? 0) !== (daemonSet.status?.collisionCount ?? 0)) throw error;
    const collisionCount = (live.status?.collisionCount ?? 0) + 1;
    const written = await daemonSets.updateStatus({ ...live, status: { ...live.status!, collisionCount } }, { signal });
    consistency?.wroteAt(
      keyOf(daemonSet),
      daemonSet.metadata.uid,
      resources.daemonSets,
      written.metadata.resourceVersion,
    );
    context.log.v(2)?.info('Found a hash collision, counting it to find another name', {
      daemonSet: keyOf(daemonSet),
      collisionCount,
    });
    throw error;
  }
}

/** Pods of the duplicates are relabelled first, so that they do not look outdated. */
async function deduplicate(
  daemonSet: DaemonSet,
  kept: ControllerRevision,
  { current }: Parted,
  { context, history, consistency }: HistoryTools,
  pods: readonly Pod[],
  signal: AbortSignal,
): Promise<void> {
  const hash = kept.metadata.labels?.[HASH];
  const client = context.client.resource(resources.pods);
  const duplicates = current.filter((revision) => revision !== kept);
  const hashes = new Set(duplicates.map((revision) => revision.metadata.labels?.[HASH]));
  const outdated = pods.filter(
    (pod) => pod.metadata.labels?.[HASH] !== hash && hashes.has(pod.metadata.labels?.[HASH]),
  );
  const { errors } = await inParallel(outdated, async (pod) => {
    try {
      const written = await client.patch(
        pod.metadata,
        'merge',
        { metadata: { uid: pod.metadata.uid, labels: { [HASH]: hash } } },
        { signal },
      );
      consistency?.wroteAt(keyOf(daemonSet), daemonSet.metadata.uid, resources.pods, written.metadata.resourceVersion);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  });
  if (errors.length > 0) throw errors[0];
  await removeRevisions(history, duplicates, signal);
}

/** One that is gone is no failure: caches hear of deletions late. */
export async function removeRevisions(
  history: History<DaemonSet>,
  revisions: readonly ControllerRevision[],
  signal: AbortSignal,
): Promise<void> {
  for (const revision of revisions) {
    try {
      await history.delete([revision], signal);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
