import {
  type KubeObject,
  type ObjectKey,
  type Pod,
  type PodDisruptionBudget,
  type PodTemplateSpec,
  type ResourceType,
  controllerOf,
  isPodReady,
  keyOf,
  resources,
} from '#pkg/api';
import { semanticEqual } from '#pkg/base';
import { type AnyTrigger, type Enqueue, type Owners, type Trigger, on } from '#pkg/controller';

type Budgets = Pick<Owners<PodDisruptionBudget>, 'matching'>;

/**
 * A Pod that comes, goes, or changes in what budgets count enqueues the budgets that select it, and those that it has
 * left. `onSeveral` is told of one with more than one budget, which can't be evicted.
 */
export function onPod(budgets: Budgets, onSeveral: (pod: Pod, chosen: PodDisruptionBudget) => void): Trigger<Pod> {
  function selecting(pod: Pod): readonly ObjectKey[] {
    const found = budgets.matching(pod);
    if (found.length > 1) onSeveral(pod, found[0]!);
    return found.map(keyOf);
  }
  return on(resources.pods, {
    add: selecting,
    update(old, current) {
      const moved = !semanticEqual(old.metadata.labels ?? {}, current.metadata.labels ?? {});
      if (!moved && counts(old) === counts(current)) return [];
      return [...selecting(current), ...(moved ? budgets.matching(old).map(keyOf) : [])];
    },
    delete: (pod) => budgets.matching(pod).map(keyOf),
  });
}

/** All of a Pod that a budget's status hangs on, but for its labels. */
function counts(pod: Pod): string {
  return `${isPodReady(pod)} ${pod.metadata.deletionTimestamp !== undefined} ${controllerOf(pod)?.uid ?? ''}`;
}

interface Scaled extends KubeObject {
  readonly spec?: { readonly replicas?: number; readonly template?: PodTemplateSpec };
}

/**
 * A controller of Pods that comes, goes or is scaled enqueues the budgets that select the Pods of its template. Mostly
 * its Pods do the same a moment later; but the caches may show those first, and some never come.
 */
function onScale<T extends Scaled>(resource: ResourceType<T>, budgets: Budgets): Trigger<T> {
  const concerned = ({ metadata, spec }: T): readonly Enqueue[] =>
    budgets.matching({ metadata: { ...metadata, labels: spec?.template?.metadata?.labels ?? {} } }).map(keyOf);
  return on(resource, {
    add: concerned,
    update(old, current) {
      const same =
        old.spec?.replicas === current.spec?.replicas && controllerOf(old)?.uid === controllerOf(current)?.uid;
      return same ? [] : concerned(current);
    },
    delete: concerned,
  });
}

export function onScales(budgets: Budgets): readonly AnyTrigger[] {
  return [
    onScale(resources.replicationControllers, budgets),
    onScale(resources.replicaSets, budgets),
    onScale(resources.deployments, budgets),
    onScale(resources.statefulSets, budgets),
  ];
}
