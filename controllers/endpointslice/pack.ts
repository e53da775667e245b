import type { EndpointSlice, Service } from '#pkg/api';

import { type Endpoint, sameEndpoint } from '../internal/endpoints/index.ts';
import type { Group } from './desired.ts';
import { type Draft, hasOtherLabels } from './slice.ts';

/** What is to become of the slices of one group, or of several together. */
export interface Packed {
  readonly create: readonly Draft[];
  readonly update: readonly Draft[];
  readonly remove: readonly EndpointSlice[];
  readonly added: number;
  readonly removed: number;
}

interface Working {
  readonly existing: EndpointSlice;
  endpoints: readonly Endpoint[];
}

const sizeOf = (slice: EndpointSlice): number => slice.endpoints?.length ?? 0;

/**
 * Puts the endpoints of a group into slices with the fewest writes, not into the fewest slices: what is there stays where
 * it is; what is new first fills up slices that are written anyway, fullest first, then goes into the one other slice that
 * it fills best, and into new slices where it fits into none (`reconcileByPortMapping` in
 * `staging/src/k8s.io/endpointslice/reconciler.go`). Takes all endpoints out of the group.
 */
export function pack(
  service: Service,
  existing: readonly EndpointSlice[],
  { ports, endpoints: wanted }: Group,
  limit: number,
): Packed {
  const changed: Working[] = [];
  const untouched: EndpointSlice[] = [];
  const remove: EndpointSlice[] = [];
  let removed = 0;
  for (const slice of existing) {
    const { endpoints, differs } = keepWanted(slice, wanted);
    removed += sizeOf(slice) - endpoints.length;
    if (differs && endpoints.length === 0) remove.push(slice);
    else if (differs || hasOtherLabels(slice, service)) changed.push({ existing: slice, endpoints });
    else untouched.push(slice);
  }

  const added = wanted.size;
  // The order of the result is that of the slices; only who is filled first goes by size.
  for (const slice of changed.toSorted((a, b) => b.endpoints.length - a.endpoints.length)) {
    slice.endpoints = [...slice.endpoints, ...wanted.takeSome(limit - slice.endpoints.length)];
  }
  const create: Draft[] = [];
  while (wanted.size > 0) {
    const fitting = wanted.size < limit ? bestFit(untouched, wanted.size, limit) : undefined;
    if (fitting) {
      untouched.splice(untouched.indexOf(fitting), 1);
      changed.push({ existing: fitting, endpoints: [...(fitting.endpoints ?? []), ...wanted.takeSome(wanted.size)] });
    } else {
      create.push({ ports, endpoints: wanted.takeSome(limit) });
    }
  }
  return { create, update: changed.map((slice) => ({ ...slice, ports })), remove, added, removed };
}

/** The slice's endpoints that are wanted, as they are wanted; takes them out of `wanted`. */
function keepWanted(
  slice: EndpointSlice,
  wanted: Group['endpoints'],
): { readonly endpoints: readonly Endpoint[]; readonly differs: boolean } {
  const endpoints: Endpoint[] = [];
  let differs = false;
  for (const endpoint of slice.endpoints ?? []) {
    const found = wanted.take(endpoint);
    if (!found) continue;
    endpoints.push(found);
    if (!sameEndpoint(found, endpoint)) differs = true;
  }
  return { endpoints, differs: differs || endpoints.length !== sizeOf(slice) };
}

/** The slice that comes closest to full with `count` more; undefined where none has room for all of them. */
function bestFit(slices: readonly EndpointSlice[], count: number, limit: number): EndpointSlice | undefined {
  let best: EndpointSlice | undefined;
  for (const slice of slices) {
    const fits = sizeOf(slice) + count <= limit;
    if (fits && (best === undefined || sizeOf(slice) > sizeOf(best))) best = slice;
  }
  return best;
}
