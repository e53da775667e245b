import { type Pod, type PodDisruptionBudget, controllerOf } from '#pkg/api';
import type { Clock } from '#pkg/base';
import type { Lister, SharedInformer } from '#pkg/cache';
import { type Ownership, labelledAs } from '#pkg/controller';

import { type ScaleCaches, cachedScale } from './cached-scales.ts';
import { needsScale } from './decide.ts';
import { DisruptionError } from './errors.ts';
import type { LiveScales, Scale } from './live-scales.ts';
import type { Sightings } from './sightings.ts';
import type { ExpectedScale, Snapshot } from './snapshot.ts';

export interface Gathering {
  readonly budgets: Ownership<PodDisruptionBudget>;
  /** Indexed by label. */
  readonly pods: Pick<SharedInformer<Pod>, 'hasReached'> & { readonly lister: Lister<Pod> };
  readonly caches: ScaleCaches;
  readonly live: LiveScales;
  readonly sightings: Sightings;
  readonly clock: Clock;
}

/** The Pods that the budget selects. Throws a SelectorError. */
export function podsOf(budget: PodDisruptionBudget, { budgets, pods }: Gathering): readonly Pod[] {
  const { namespace = '' } = budget.metadata;
  return labelledAs(pods.lister, namespace, budget.spec?.selector, budgets.selectorOf(budget));
}

/**
 * Reads the rest of what the budget's status is decided by. Throws a DisruptionError where nobody can tell how many of
 * its Pods there should be.
 */
export async function gather(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  gathering: Gathering,
  signal: AbortSignal,
): Promise<Snapshot> {
  const { clock, sightings } = gathering;
  const unseen = sightings.newer(budget, (resourceVersion) => gathering.pods.hasReached(resourceVersion));
  const scale = needsScale(budget) ? await expectedScale(pods, gathering, signal) : undefined;
  return { budget, pods, scale, unseen, now: clock.now() };
}

/** The sum over the controllers of these Pods, each asked once (`getExpectedScale`). */
async function expectedScale(
  pods: readonly Pod[],
  { caches, live }: Gathering,
  signal: AbortSignal,
): Promise<ExpectedScale> {
  const seen = new Set<string>();
  const scales = new Map<string, number>();
  const unmanaged: string[] = [];
  for (const pod of pods) {
    const reference = controllerOf(pod);
    if (!reference) unmanaged.push(pod.metadata.name);
    if (!reference || seen.has(reference.uid)) continue;
    seen.add(reference.uid);
    const { namespace = '', name } = pod.metadata;
    const scale: Scale | undefined =
      cachedScale(caches, reference, namespace) ?? (await live.get(reference, namespace, signal));
    if (!scale) throw new DisruptionError('NoController', `found no controllers for pod "${name}"`, { subject: name });
    scales.set(scale.uid, scale.replicas);
  }
  return { count: [...scales.values()].reduce((sum, replicas) => sum + replicas, 0), unmanaged };
}
