import {
  type ControllerRevision,
  type ObjectKey,
  type Pod,
  SelectorError,
  type StatefulSet,
  keyOf,
  makeKey,
} from '#pkg/api';
import { type ReconcileResult, aggregate } from '#pkg/controller';

import { obsoleteRevisions } from '../internal/history/index.ts';
import { Writer } from './write.ts';
import { decide } from './decide.ts';
import { StatefulSetError } from './errors.ts';
import { type Gathering, type Readers, gather } from './read.ts';
import { ordinalOf, podRevision } from './identity.ts';
import type { UnavailabilityMetrics } from './metrics.ts';
import { type RevisionRules, currentRevision, decideUpdateRevision, podTemplateOf } from './revisions.ts';
import type { PodRevision, Revisions, Snapshot } from './snapshot.ts';
import { type StatefulSetStatus, decideRequeue, isNews, statusOf } from './status.ts';

export interface ReconcileOptions {
  readonly readers: Readers;
  readonly rules: RevisionRules;
  /** Missing without the gate MaxUnavailableStatefulSet. */
  readonly unavailability: UnavailabilityMetrics | undefined;
}

export async function reconcile(
  key: ObjectKey,
  options: ReconcileOptions,
  signal: AbortSignal,
): Promise<ReconcileResult | void> {
  const { context, sets } = options.readers;
  const gathering = await gather(key, options.readers, signal);
  if (gathering === undefined) return sets.forget(key);
  if (gathering instanceof SelectorError) return context.log.error('Invalid selector', gathering, { statefulSet: key });

  const revisions = await findRevisions(gathering, options, signal);
  if (revisions === undefined) return undefined;
  const failures: unknown[] = [];
  let requeueAfter: number | undefined;
  try {
    requeueAfter = await update(gathering, revisions, options, signal);
  } catch (error) {
    failures.push(error);
  }
  signal.throwIfAborted();
  try {
    await truncate(gathering, revisions, options.readers, signal);
  } catch (error) {
    failures.push(error);
  }
  if (failures.length > 0) throw aggregate(failures);
  if (requeueAfter !== undefined) return { requeueAfter };
}

/** The set's two revisions, after writing what is missing. Of a set on its way out nothing is written: undefined then. */
async function findRevisions(
  { set, revisions }: Gathering,
  { readers: { history }, rules }: ReconcileOptions,
  signal: AbortSignal,
): Promise<Revisions | undefined> {
  const collisionCount = set.status?.collisionCount ?? 0;
  const decision = decideUpdateRevision(set, revisions, rules);
  const of = (revision: ControllerRevision, collisions = collisionCount): Revisions => ({
    current: currentRevision(set, revisions, revision),
    update: revision,
    collisionCount: collisions,
  });
  if (decision.kind === 'keep') return of(decision.revision);
  if (set.metadata.deletionTimestamp !== undefined) return undefined;
  if (decision.kind === 'renumber') return of(await history.renumber(set, decision.revision, decision.number, signal));
  const created = await history.create(set, decision.draft, collisionCount, signal);
  return of(created.revision, created.collisionCount);
}

/** Pods, claims and status; answers when to look again. A failure is thrown once the status says how far it got. */
async function update(
  gathering: Gathering,
  revisions: Revisions,
  { readers, unavailability }: ReconcileOptions,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { context, claims } = readers;
  const { set, pods } = gathering;
  const now = context.clock.now();
  const snapshot: Snapshot = {
    set,
    pods,
    claim: (name) => claims.lister.get(makeKey(set.metadata.namespace, name)),
    current: podRevisionOf(set, revisions.current),
    update: podRevisionOf(set, revisions.update),
    now,
    countUnavailable: unavailability !== undefined,
  };
  unavailability?.observe(snapshot);
  const writer = new Writer(readers, snapshot, signal);
  let failure: unknown;
  try {
    await writer.carryOut(decide(snapshot));
  } catch (error) {
    failure = error;
  }
  signal.throwIfAborted();
  const members = writer.pods().filter((pod) => ordinalOf(pod) >= 0);
  const status = statusOf(set, members, revisions, now);
  try {
    if (isNews(status, set.status)) await writeStatus(set, status, readers, signal);
  } catch (error) {
    if (failure === undefined) throw error;
    context.log.error('Could not update status', error, { statefulSet: keyOf(set) });
  }
  if (failure !== undefined) throw failure;
  return requeue(set, status, members, now, context.clock.now());
}

function podRevisionOf(set: StatefulSet, revision: ControllerRevision): PodRevision {
  const template = podTemplateOf(set, revision);
  const { name } = revision.metadata;
  if (!template) throw new StatefulSetError('ForeignRevision', `revision ${name} holds no template`, { name });
  return { name, template };
}

function requeue(
  set: StatefulSet,
  status: StatefulSetStatus,
  pods: readonly Pod[],
  decidedAt: number,
  now: number,
): number | undefined {
  const wait = decideRequeue(set, status, pods, decidedAt);
  return wait === undefined ? undefined : Math.max(0, wait - (now - decidedAt));
}

/** A conflict is thrown: the set has changed, and the next sync looks at what it has become. */
async function writeStatus(
  set: StatefulSet,
  status: StatefulSetStatus,
  { context, sets }: Readers,
  signal: AbortSignal,
): Promise<void> {
  context.log.v(4)?.info('Updating status', { statefulSet: keyOf(set), from: set.status, to: status });
  await sets.updateStatus({ ...set, status }, { signal });
}

/** Deletes revisions beyond the history limit that neither the set nor a Pod is at. */
async function truncate(
  { set, pods, revisions }: Gathering,
  { current, update: updating }: Revisions,
  { history }: Readers,
  signal: AbortSignal,
): Promise<void> {
  const live = new Set([current.metadata.name, updating.metadata.name, ...pods.map(podRevision)]);
  const obsolete = obsoleteRevisions(
    revisions,
    ({ metadata }) => live.has(metadata.name),
    set.spec?.revisionHistoryLimit ?? 10,
  );
  await history.delete(obsolete, signal);
}
