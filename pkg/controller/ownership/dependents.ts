import { type KubeObject, type LabelSelector, controllerOf } from '#pkg/api';
import type { Lister, SharedInformer } from '#pkg/cache';

/** Index of dependents by their controller's UID, and of those without one by namespace and labels. */
const CONTROLLER_INDEX = 'controller';

/**
 * Where a dependent is found: under its controller's UID or, without controller, under its namespace and each of its
 * labels there. Labels let an owner find its few orphans without a scan over all bare objects of the namespace.
 */
function indexByController(object: KubeObject): readonly string[] {
  const controller = controllerOf(object);
  if (controller) return [ownedBy(controller.uid)];
  const namespace = object.metadata.namespace ?? '';
  const labels = Object.entries(object.metadata.labels ?? {});
  return [orphanIn(namespace), ...labels.map(([key, value]) => orphanWith(namespace, key, value))];
}

const ownedBy = (uid: string): string => `owner/${uid}`;
const orphanIn = (namespace: string): string => `orphan/${namespace}`;
const orphanWith = (namespace: string, key: string, value: string): string => `orphan/${namespace}/${key}=${value}`;

/** To be called in `create` by whoever looks for dependents of this informer's objects. */
export function indexDependents<T extends KubeObject>(informer: Pick<SharedInformer<T>, 'addIndex'>): void {
  informer.addIndex(CONTROLLER_INDEX, indexByController);
}

/** Dependents that the object of this UID manages. */
export function dependentsOf<T extends KubeObject>(lister: Pick<Lister<T>, 'byIndex'>, ownerUid: string): readonly T[] {
  return lister.byIndex(CONTROLLER_INDEX, ownedBy(ownerUid));
}

/** Objects of the namespace with no controller. All that `selector` matches are among them, and others may be. */
export function orphansFor<T extends KubeObject>(
  lister: Pick<Lister<T>, 'byIndex'>,
  namespace: string,
  selector: LabelSelector | undefined,
): readonly T[] {
  const pair = requiredPair(selector);
  return lister.byIndex(CONTROLLER_INDEX, pair ? orphanWith(namespace, pair[0], pair[1]) : orphanIn(namespace));
}

/** A label with its value that everything matched by `selector` has, if there is any. */
export function requiredPair(selector: LabelSelector | undefined): readonly [key: string, value: string] | undefined {
  const [label] = Object.entries(selector?.matchLabels ?? {});
  if (label) return label;
  const single = selector?.matchExpressions?.find(({ operator, values }) => operator === 'In' && values?.length === 1);
  return single && [single.key, single.values![0]!];
}
