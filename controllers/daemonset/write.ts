import { type DaemonSet, type Pod, isNamespaceTerminating, isNotFound, keyOf } from '#pkg/api';
import { semanticEqual } from '#pkg/base';
import type { ResourceClient } from '#pkg/client';
import {
  type ControllerContext,
  type Expectations,
  type PodControl,
  aggregate,
  inParallel,
  slowStart,
} from '#pkg/controller';

import type { DaemonSetStatus } from './status.ts';
import type { Changes } from './snapshot.ts';
import { forNode, podTemplate } from './template.ts';

/** Pods created and deleted at most before the cache must show them (`BurstReplicas` upstream). */
const BURST = 250;

export interface Writing {
  readonly context: Pick<ControllerContext, 'log'>;
  readonly expectations: Expectations;
  readonly podControl: PodControl<DaemonSet>;
}

/**
 * Creates Pods, in batches that grow as long as all goes well, then deletes Pods. Throws what failed, after all was tried
 * (`syncNodes` in `pkg/controller/daemon`).
 */
export async function carryOut(
  daemonSet: DaemonSet,
  hash: string,
  changes: Changes,
  writing: Writing,
  signal: AbortSignal,
): Promise<void> {
  const { context, expectations } = writing;
  const key = keyOf(daemonSet);
  const nodes = changes.create.slice(0, BURST);
  const pods = changes.remove.slice(0, BURST);
  expectations.expectChanges(
    key,
    nodes.length,
    pods.map((pod) => pod.metadata.uid),
  );
  if (nodes.length + pods.length === 0) return;
  context.log.v(4)?.info('Changing Pods', { daemonSet: key, creating: nodes.length, deleting: pods.length });
  const failures = [
    ...(await create(daemonSet, hash, nodes, writing, signal)),
    ...(await remove(daemonSet, pods, writing, signal)),
  ];
  if (failures.length > 0) throw aggregate(failures);
}

async function create(
  daemonSet: DaemonSet,
  hash: string,
  nodes: readonly string[],
  { context, expectations, podControl }: Writing,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const key = keyOf(daemonSet);
  const template = podTemplate(daemonSet, hash);
  let next = 0;
  const { successes, errors } = await slowStart(nodes.length, async () => {
    await podControl.create(daemonSet, forNode(template, nodes[next++]!), signal);
  });
  const failures = errors.filter((error) => !isNamespaceTerminating(error));
  // In a namespace that goes away every creation fails: the expectations stay, so that none is tried again for minutes.
  if (errors.length > 0 && failures.length === 0) return [];
  if (successes < nodes.length) {
    context.log.v(2)?.info('Slow start failed, the rest is left for the next sync', {
      daemonSet: key,
      skipped: nodes.length - successes,
    });
    expectations.creationObserved(key, nodes.length - successes);
  }
  return failures;
}

async function remove(
  daemonSet: DaemonSet,
  pods: readonly Pod[],
  { expectations, podControl }: Writing,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const { errors } = await inParallel(pods, async (pod) => {
    try {
      await podControl.delete(daemonSet, pod, signal);
    } catch (error) {
      expectations.deletionObserved(keyOf(daemonSet), pod.metadata.uid);
      if (!isNotFound(error)) throw error;
    }
  });
  return errors;
}

/**
 * Writes the status if it says anything new; when that is refused, once more on the object as it stands on the server.
 * Answers the object written; undefined where nothing was (`storeDaemonSetStatus`).
 */
export async function writeStatus(
  daemonSet: DaemonSet,
  status: DaemonSetStatus,
  client: Pick<ResourceClient<DaemonSet>, 'get' | 'updateStatus'>,
  signal: AbortSignal,
): Promise<DaemonSet | undefined> {
  if (semanticEqual(daemonSet.status ?? {}, status)) return undefined;
  try {
    return await client.updateStatus({ ...daemonSet, status }, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    let live: DaemonSet;
    try {
      live = await client.get(daemonSet.metadata, { signal });
    } catch (readError) {
      if (isNotFound(readError)) return undefined;
      throw readError;
    }
    if (live.metadata.uid !== daemonSet.metadata.uid) return undefined;
    // What others keep there, the collision count and conditions, is theirs.
    const { collisionCount: _count, conditions: _conditions, ...counts } = status;
    const { collisionCount, conditions } = live.status ?? {};
    const kept = {
      ...(collisionCount === undefined ? {} : { collisionCount }),
      ...(conditions === undefined ? {} : { conditions }),
    };
    return client.updateStatus({ ...live, status: { ...counts, ...kept } }, { signal });
  }
}
