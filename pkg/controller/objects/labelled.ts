import type { KubeObject, LabelSelector, Selector } from '#pkg/api';
import { type Lister, NAMESPACE_INDEX, type SharedInformer } from '#pkg/cache';

/** Index of objects by namespace and each of their labels. */
const LABEL_INDEX = 'label';

function byLabel({ metadata }: KubeObject): readonly string[] {
  return Object.entries(metadata.labels ?? {}).map(([key, value]) => labelled(metadata.namespace, key, value));
}

const labelled = (namespace: string | undefined, key: string, value: string): string =>
  `${namespace ?? ''}/${key}=${value}`;

/** To be called in `create` by whoever looks for this informer's objects by their labels. */
export function indexByLabel<T extends KubeObject>(informer: Pick<SharedInformer<T>, 'addIndex'>): void {
  informer.addIndex(LABEL_INDEX, byLabel);
}

/** Objects of the namespace with this very label. */
export function withLabel<T extends KubeObject>(
  lister: Pick<Lister<T>, 'byIndex'>,
  namespace: string | undefined,
  key: string,
  value: string,
): readonly T[] {
  return lister.byIndex(LABEL_INDEX, labelled(namespace, key, value));
}

/**
 * Objects of the namespace that `selector` matches; `compiled` is the same selector. Looks at those alone that carry its
 * rarest required label, and at the whole namespace only where it requires none.
 */
export function labelledAs<T extends KubeObject>(
  lister: Pick<Lister<T>, 'byIndex'>,
  namespace: string,
  selector: LabelSelector | undefined,
  compiled: Selector,
): readonly T[] {
  if (compiled.nothing) return [];
  const candidates = rarest(lister, namespace, selector) ?? lister.byIndex(NAMESPACE_INDEX, namespace);
  return compiled.everything ? candidates : candidates.filter(({ metadata }) => compiled.matches(metadata.labels));
}

function rarest<T extends KubeObject>(
  lister: Pick<Lister<T>, 'byIndex'>,
  namespace: string,
  selector: LabelSelector | undefined,
): readonly T[] | undefined {
  let fewest: readonly T[] | undefined;
  const take = (found: readonly T[]): void => {
    if (!fewest || found.length < fewest.length) fewest = found;
  };
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {}))
    take(withLabel(lister, namespace, key, value));
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
    if (operator === 'In') take([...new Set(values)].flatMap((value) => withLabel(lister, namespace, key, value)));
  }
  return fewest;
}
