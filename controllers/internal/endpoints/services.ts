import { ownValue } from '#pkg/base';
import { type ObjectKey, type Pod, type Service, type StringMap, keyOf } from '#pkg/api';
import type { Lister, SharedInformer } from '#pkg/cache';
import { indexByLabel, withLabel } from '#pkg/controller';

/** Index of Services by namespace and one label that their selector asks for. */
const SELECTOR_INDEX = 'service-selector';

const labelled = (namespace: string | undefined, key: string, value: string): string =>
  `${namespace ?? ''}/${key}=${value}`;

/** Nothing for a Service without selector, whose endpoints are not ours. */
function bySelector({ metadata, spec }: Service): readonly string[] {
  const [first] = Object.entries(spec?.selector ?? {});
  return first ? [labelled(metadata.namespace, first[0], first[1])] : [];
}

function selects(selector: StringMap, labels: StringMap): boolean {
  for (const key in selector) if (ownValue(labels, key) !== ownValue(selector, key)) return false;
  return true;
}

/** To be called in `create` by whoever looks for the Services of a Pod. */
export function indexServices(services: Pick<SharedInformer<Service>, 'addIndex'>): void {
  services.addIndex(SELECTOR_INDEX, bySelector);
}

/** To be called in `create` by whoever looks for the Pods of a Service. */
export function indexPodsByLabel(pods: Pick<SharedInformer<Pod>, 'addIndex'>): void {
  indexByLabel(pods);
}

/** Services of the namespace that select these labels, at the cost of a look-up a label. */
export function servicesSelecting(
  services: Pick<Lister<Service>, 'byIndex'>,
  namespace: string | undefined,
  labels: StringMap = {},
): Service[] {
  return Object.entries(labels).flatMap(([key, value]) =>
    services
      .byIndex(SELECTOR_INDEX, labelled(namespace, key, value))
      .filter(({ spec }) => selects(spec?.selector ?? {}, labels)),
  );
}

/** The Pods that a Service with a selector selects; none without one. Looks at those alone that carry its rarest label. */
export function podsOf(pods: Pick<Lister<Pod>, 'byIndex'>, { metadata, spec }: Service): readonly Pod[] {
  const selector = spec?.selector ?? {};
  const required = Object.entries(selector);
  let fewest: readonly Pod[] | undefined;
  for (const [key, value] of required) {
    const found = withLabel(pods, metadata.namespace, key, value);
    if (!fewest || found.length < fewest.length) fewest = found;
    if (fewest.length <= 1) break;
  }
  if (!fewest || required.length === 1) return fewest ?? [];
  return fewest.filter((pod) => selects(selector, pod.metadata.labels ?? {}));
}

/** Whether the controllers of endpoints have to do with the Service: it selects Pods, and is no alias of a name. */
export function hasEndpoints({ spec }: Service): boolean {
  return spec?.type !== 'ExternalName' && Object.keys(spec?.selector ?? {}).length > 0;
}

/** Keys of Services that select one of the two sets of labels, but not both. */
export function selectingOne(before: readonly Service[], after: readonly Service[]): ObjectKey[] {
  const [old, current] = [new Set(before.map(keyOf)), new Set(after.map(keyOf))];
  return [...old.symmetricDifference(current)];
}
