import {
  type NewObject,
  type Pod,
  type PodDisruptionBudget,
  compileSelector,
  isConflict,
  isPodReady,
  keyOf,
  resources,
  scaledValue,
} from '#pkg/api';
import { formatTime, parseTime, sleep } from '#pkg/base';
import { type World, deployment, pod, replicaSet } from '#pkg/testing';

import { DELETION_TIMEOUT } from './decide.ts';

const { deployments, podDisruptionBudgets, pods, replicaSets } = resources;

export function newBudget(spec: PodDisruptionBudget['spec'], name = 'web'): NewObject<PodDisruptionBudget> {
  return { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name, namespace: 'default' }, spec };
}

/** A Deployment with its ReplicaSet, and a ReplicaSet on its own, all of whose Pods `app: web` selects; Pods are kept up. */
export function runWorkloads(
  { cluster, clock }: World,
  sizes: { readonly deployed: number; readonly bare: number },
  delay: () => number,
): () => void {
  cluster.create(deployments, deployment({ name: 'web', spec: { replicas: sizes.deployed } }));
  const owner = cluster.get(deployments, 'default/web')!;
  cluster.create(replicaSets, replicaSet({ name: 'web-1', owner, replicas: sizes.deployed }));
  cluster.create(replicaSets, replicaSet({ name: 'bare', replicas: sizes.bare }));
  let made = 0;
  function keepUp(): void {
    for (const set of cluster.list(replicaSets)) {
      const mine = cluster
        .list(pods)
        .filter(
          (one) =>
            one.metadata.ownerReferences?.[0]?.uid === set.metadata.uid && one.metadata.deletionTimestamp === undefined,
        );
      const wanted = wantedBy({ cluster }, set.metadata.name);
      for (let i = mine.length; i < wanted; i++)
        cluster.create(pods, pod(`${set.metadata.name}-${++made}`, set, { phase: 'Pending', conditions: [] }));
      for (const extra of mine.slice(wanted)) cluster.delete(pods, keyOf(extra));
    }
  }
  keepUp();
  return cluster.onChange(({ resource }) => void clock.setTimeout(keepUp, resource.kind === 'Pod' ? delay() : 0));
}

/** What the scale of a ReplicaSet's controller is. */
export function wantedBy({ cluster }: Pick<World, 'cluster'>, name: string): number {
  return name === 'web-1'
    ? cluster.get(deployments, 'default/web')!.spec!.replicas!
    : cluster.get(replicaSets, `default/${name}`)!.spec!.replicas!;
}

/** What the budget's status must come to be, by a look at everything there is. */
export function demandsOf(
  world: Pick<World, 'cluster'>,
  budget: PodDisruptionBudget,
): { readonly selected: readonly Pod[]; readonly expectedPods: number; readonly desiredHealthy: number } {
  const selector = compileSelector(budget.spec?.selector);
  const selected = world.cluster.list(pods, 'default').filter(({ metadata }) => selector.matches(metadata.labels));
  const { minAvailable, maxUnavailable } = budget.spec!;
  if (typeof minAvailable === 'number')
    return { selected, expectedPods: selected.length, desiredHealthy: minAvailable };
  const owners = new Set(selected.flatMap(({ metadata }) => metadata.ownerReferences?.map(({ name }) => name) ?? []));
  const expectedPods = [...owners].reduce((sum, name) => sum + wantedBy(world, name), 0);
  const desiredHealthy =
    maxUnavailable === undefined
      ? scaledValue(minAvailable!, expectedPods, 'up')
      : Math.max(0, expectedPods - scaledValue(maxUnavailable, expectedPods, 'up'));
  return { selected, expectedPods, desiredHealthy };
}

/** Evictions through the API server's eyes: budget first, Pod later, and whatever happens in between. */
export class Evictions {
  readonly #world: World;
  readonly #delay: () => number;
  /** Time of the eviction of Pods that were not deleted yet, by UID. */
  readonly #granted = new Map<string, number>();
  /** Evictions that took more than the budget had. */
  readonly overdrawn: string[] = [];
  granted = 0;

  constructor(world: World, delay: () => number) {
    this.#world = world;
    this.#delay = delay;
  }

  /** As `eviction.go` of pkg/registry/core/pod: `half` of it leaves the Pod alone in the end. */
  async evict(chosen: Pod, half: boolean): Promise<void> {
    const { cluster, clock } = this.#world;
    const key = keyOf(chosen);
    const live = cluster.get(pods, key);
    if (!live || live.metadata.deletionTimestamp !== undefined || live.status?.phase === 'Pending') return;
    const budget = cluster
      .list(podDisruptionBudgets)
      .find(({ spec }) => compileSelector(spec?.selector).matches(live.metadata.labels));
    if (budget && !this.#isFree(live, budget) && !(await this.#spend(live, budget))) return;
    if (half) return;
    await sleep(clock, this.#delay());
    if (cluster.get(pods, key)?.metadata.uid === live.metadata.uid) cluster.delete(pods, key);
  }

  #isFree(chosen: Pod, { spec, status }: PodDisruptionBudget): boolean {
    if (isPodReady(chosen)) return false;
    const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
    return (
      spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow' || (currentHealthy >= desiredHealthy && desiredHealthy > 0)
    );
  }

  async #spend(chosen: Pod, read: PodDisruptionBudget): Promise<boolean> {
    const { cluster, clock } = this.#world;
    // Read now and written a moment later, so that evictions, and the controller, get in each other's way.
    await sleep(clock, this.#delay());
    const { status, metadata } = read;
    const { disruptionsAllowed = 0, observedGeneration = 0 } = status ?? {};
    if (observedGeneration < (metadata.generation ?? 0) || disruptionsAllowed <= 0) return false;
    const disruptedPods = { ...status?.disruptedPods, [chosen.metadata.name]: formatTime(clock.now()) };
    try {
      cluster.updateStatus(podDisruptionBudgets, {
        ...read,
        status: { ...status!, disruptionsAllowed: disruptionsAllowed - 1, disruptedPods },
      });
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
    this.granted++;
    this.#granted.set(chosen.metadata.uid, parseTime(formatTime(clock.now())));
    const { selected, desiredHealthy } = demandsOf(this.#world, read);
    const left = selected.filter((one) => this.isHealthy(one)).length;
    if (left < desiredHealthy) this.overdrawn.push(`${chosen.metadata.name}: ${left} left of ${desiredHealthy}`);
    return true;
  }

  /** Ready, and nobody is about to delete it. */
  isHealthy(one: Pod): boolean {
    const since = this.#granted.get(one.metadata.uid);
    const evicted = since !== undefined && since + DELETION_TIMEOUT > this.#world.clock.now();
    return isPodReady(one) && one.metadata.deletionTimestamp === undefined && !evicted;
  }
}
