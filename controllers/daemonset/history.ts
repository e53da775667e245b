import { compareIntegers } from '#pkg/base';
import { type ControllerRevision, type DaemonSet, type Pod, isAlreadyExists, keyOf } from '#pkg/api';
import { ignoreNotFound } from '#pkg/client';
import { type ControllerContext, type OwnedObjects, type OwnedPods, type Ownership, inParallel } from '#pkg/controller';

import type { History } from '../internal/history/index.ts';
import { type Parted, draftRevision, isCurrent, part } from './revisions.ts';
import { HASH } from './template.ts';

export interface HistoryTools {
  readonly context: Pick<ControllerContext, 'log'>;
  readonly daemonSets: Ownership<DaemonSet>;
  readonly pods: OwnedPods<DaemonSet>;
  readonly revisions: OwnedObjects<DaemonSet, ControllerRevision>;
  readonly history: History<DaemonSet>;
  /** The DaemonSet's Pods, claimed on the first call. */
  readonly claimed: () => Promise<readonly Pod[]>;
}

/** The revisions as they stand once the newest template has its own, with the highest number. */
export interface Kept {
  readonly current: ControllerRevision;
  /** Oldest first. */
  readonly old: readonly ControllerRevision[];
}

/**
 * Claims the DaemonSet's revisions, and sees to it that exactly one is of its template: creates it, gives it the highest
 * number after a rollback, or clears duplicates away (`constructHistory` in `pkg/controller/daemon/update.go`). The
 * Pods are only asked for in the rare case that some were made by a duplicate.
 */
export async function keepHistory(daemonSet: DaemonSet, tools: HistoryTools, signal: AbortSignal): Promise<Kept> {
  const claimed = await tools.revisions.claim(daemonSet, signal);
  const labelled = await Promise.all(claimed.map((revision) => withHash(daemonSet, revision, tools, signal)));
  const parted = part(daemonSet, labelled);
  const found = parted.current.at(-1);
  if (!found) return { current: await create(daemonSet, parted.next, tools, signal), old: parted.old };
  if (parted.current.length > 1) await deduplicate(daemonSet, found, parted, tools, signal);
  const current =
    compareIntegers(found.revision, parted.next) < 0
      ? await tools.history.renumber(daemonSet, found, parted.next, signal)
      : found;
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
  return tools.revisions.patch(daemonSet, revision.metadata, 'merge', body, { signal });
}

/** A name taken by another template is a collision, which the status counts so that the next try has another name. */
async function create(
  daemonSet: DaemonSet,
  number: number,
  { context, daemonSets, revisions, history }: HistoryTools,
  signal: AbortSignal,
): Promise<ControllerRevision> {
  const draft = draftRevision(daemonSet, number);
  try {
    return await history.store(daemonSet, draft, signal);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const name = { name: draft.object.metadata.name!, namespace: daemonSet.metadata.namespace! };
    const existing = await revisions.get(name, { signal });
    if (isCurrent(daemonSet, existing)) return existing;
    const live = await daemonSets.getLive(daemonSet, { signal });
    // Counted already, and the cache does not know yet: the next sync will have the next name.
    if ((live.status?.collisionCount ?? 0) !== (daemonSet.status?.collisionCount ?? 0)) throw error;
    const collisionCount = (live.status?.collisionCount ?? 0) + 1;
    await daemonSets.updateStatus({ ...live, status: { ...live.status!, collisionCount } }, { signal });
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
  { pods, history, claimed }: HistoryTools,
  signal: AbortSignal,
): Promise<void> {
  const hash = kept.metadata.labels?.[HASH];
  const duplicates = current.filter((revision) => revision !== kept);
  const hashes = new Set(duplicates.map((revision) => revision.metadata.labels?.[HASH]));
  const outdated = (await claimed()).filter(
    (pod) => pod.metadata.labels?.[HASH] !== hash && hashes.has(pod.metadata.labels?.[HASH]),
  );
  const { errors } = await inParallel(outdated, async (pod) => {
    const body = { metadata: { uid: pod.metadata.uid, labels: { [HASH]: hash } } };
    await ignoreNotFound(pods.patch(daemonSet, pod.metadata, 'merge', body, { signal }));
  });
  if (errors.length > 0) throw errors[0];
  await history.delete(duplicates, signal);
}
