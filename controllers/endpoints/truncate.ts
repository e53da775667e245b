import type { EndpointAddress, Subset } from '../internal/endpoints/index.ts';

/** Most addresses in one Endpoints object, ready or not. */
export const CAPACITY = 1000;

type Field = 'addresses' | 'notReadyAddresses';

/**
 * Down to {@link CAPACITY} addresses where there are more; undefined where there are not. Ready ones stay before others;
 * of those that cannot all stay, each subset keeps its share, rounded up, so that the last one may have less
 * (`truncateEndpoints` in `pkg/controller/endpoint`). Of subsets that nothing is left of, which no API server takes,
 * nothing is said.
 */
export function truncate(subsets: readonly Subset[]): readonly Subset[] | undefined {
  const ready = total(subsets, 'addresses');
  const notReady = total(subsets, 'notReadyAddresses');
  if (ready + notReady <= CAPACITY) return undefined;
  if (ready <= CAPACITY) return share(subsets, 'notReadyAddresses', notReady, CAPACITY - ready).filter(isInhabited);
  const readyAlone = subsets.map((subset) => withField(subset, 'notReadyAddresses', []));
  return share(readyAlone, 'addresses', ready, CAPACITY).filter(isInhabited);
}

function share(subsets: readonly Subset[], field: Field, of: number, room: number): Subset[] {
  let left = room;
  return subsets.map((subset) => {
    const all = subset[field] ?? [];
    const kept = all.slice(0, Math.min(Math.ceil((all.length / of) * room), left));
    left -= kept.length;
    return withField(subset, field, kept);
  });
}

function withField(subset: Subset, field: Field, addresses: readonly EndpointAddress[]): Subset {
  const { [field]: _, ...rest } = subset;
  return addresses.length > 0 ? { ...rest, [field]: addresses } : rest;
}

function isInhabited({ addresses = [], notReadyAddresses = [] }: Subset): boolean {
  return addresses.length + notReadyAddresses.length > 0;
}

function total(subsets: readonly Subset[], field: Field): number {
  return subsets.reduce((sum, subset) => sum + (subset[field]?.length ?? 0), 0);
}
