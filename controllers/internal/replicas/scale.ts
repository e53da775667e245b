import { type KubeObject, type NewObject, type Pod, keyOf } from '#pkg/api';
import { type ControllerContext, logName } from '#pkg/controller';

import { decideChange, decideDeletion } from './decide.ts';
import { type Readers, type Snapshot, relatedPods } from './read.ts';

export interface ScaleTools<Owner extends KubeObject> extends Readers<Owner> {
  readonly context: Pick<ControllerContext, 'clock' | 'log'>;
  readonly deletionCost: boolean;
  readonly observeAgeRatio: (ratio: number) => void;
}

export interface Scaled {
  /** Pods were created or deleted: what the caches showed before holds no more. */
  readonly changed?: boolean;
  readonly failure?: unknown;
}

/**
 * Creates or deletes Pods until the wanted number is reached or something fails. The failure is an answer and no
 * exception: the status must still be written, and say so.
 */
export async function scale<Owner extends KubeObject>(
  tools: ScaleTools<Owner>,
  snapshot: Snapshot<Owner>,
  active: readonly Pod[],
  signal: AbortSignal,
): Promise<Scaled> {
  const change = decideChange(snapshot.spec.replicas, active.length);
  if (change > 0) return create(tools, snapshot, change, signal);
  if (change < 0) return remove(tools, snapshot, active, -change, signal);
  return {};
}

async function create<Owner extends KubeObject>(
  { context: { log }, kind, pods }: ScaleTools<Owner>,
  { owner, spec }: Snapshot<Owner>,
  count: number,
  signal: AbortSignal,
): Promise<Scaled> {
  log.v(2)?.info('Too few replicas', { [logName(kind.type)]: keyOf(owner), need: spec.replicas, creating: count });
  const pod = (): NewObject<Pod> => pods.fromTemplate(owner, spec.template);
  const { terminating, notCreated } = await pods.change(owner, { create: { count, pod } }, signal);
  if (terminating) return {};
  return notCreated.length === 0 ? { changed: true } : { failure: notCreated[0] };
}

async function remove<Owner extends KubeObject>(
  tools: ScaleTools<Owner>,
  { owner, spec }: Snapshot<Owner>,
  active: readonly Pod[],
  count: number,
  signal: AbortSignal,
): Promise<Scaled> {
  const { context, kind, pods, deletionCost, observeAgeRatio } = tools;
  const { clock, log } = context;
  log.v(2)?.info('Too many replicas', { [logName(kind.type)]: keyOf(owner), need: spec.replicas, deleting: count });
  const related = relatedPods(tools, owner);
  const decision = decideDeletion({ active, count, related, deletionCost, now: clock.now() });
  decision.ageRatios.forEach(observeAgeRatio);
  const { notDeleted } = await pods.change(owner, { remove: decision.pods }, signal);
  return notDeleted.length === 0 ? { changed: true } : { failure: notDeleted[0] };
}
