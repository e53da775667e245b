import { type DaemonSet, type NewObject, type Pod, keyOf } from '#pkg/api';
import { semanticEqual } from '#pkg/base';
import { ignoreNotFound } from '#pkg/client';
import { type ControllerContext, type OwnedPods, type Ownership, aggregate } from '#pkg/controller';

import type { DaemonSetStatus } from './status.ts';
import type { Changes } from './snapshot.ts';
import { forNode, podTemplate } from './template.ts';

/** Pods created and deleted at most before the cache must show them (`BurstReplicas` upstream). */
const BURST = 250;

export interface Writing {
  readonly context: Pick<ControllerContext, 'log'>;
  readonly pods: OwnedPods<DaemonSet>;
}

/**
 * Creates Pods, in batches that grow as long as all goes well, then deletes Pods. Throws what failed, after all was tried
 * (`syncNodes` in `pkg/controller/daemon`).
 */
export async function carryOut(
  daemonSet: DaemonSet,
  hash: string,
  changes: Changes,
  { context, pods }: Writing,
  signal: AbortSignal,
): Promise<void> {
  const nodes = changes.create.slice(0, BURST);
  const remove = changes.remove.slice(0, BURST);
  const [creating, deleting] = [nodes.length, remove.length];
  if (creating + deleting > 0)
    context.log.v(4)?.info('Changing Pods', { daemonSet: keyOf(daemonSet), creating, deleting });
  const template = podTemplate(daemonSet, hash);
  const pod = (index: number): NewObject<Pod> => pods.fromTemplate(daemonSet, forNode(template, nodes[index]!));
  const result = await pods.change(daemonSet, { create: { count: creating, pod }, remove }, signal);
  const failures = [...result.notCreated, ...result.notDeleted];
  if (failures.length > 0) throw aggregate(failures);
}

/**
 * Writes the status if it says anything new; when that is refused, once more on the object as it stands on the server
 * (`storeDaemonSetStatus`).
 */
export async function writeStatus(
  daemonSet: DaemonSet,
  status: DaemonSetStatus,
  daemonSets: Ownership<DaemonSet>,
  signal: AbortSignal,
): Promise<void> {
  if (semanticEqual(daemonSet.status ?? {}, status)) return;
  try {
    await daemonSets.updateStatus({ ...daemonSet, status }, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    const live = await ignoreNotFound(daemonSets.getLive(daemonSet, { signal }));
    if (live?.metadata.uid !== daemonSet.metadata.uid) return;
    // What others keep there, the collision count and conditions, is theirs.
    const { collisionCount: _count, conditions: _conditions, ...counts } = status;
    const { collisionCount, conditions } = live.status ?? {};
    const kept = {
      ...(collisionCount === undefined ? {} : { collisionCount }),
      ...(conditions === undefined ? {} : { conditions }),
    };
    await daemonSets.updateStatus({ ...live, status: { ...counts, ...kept } }, { signal });
  }
}
