import type { EndpointSlice, NewObject, Node, Pod, Service } from '#pkg/api';
import { semanticEqual } from '#pkg/base';

import { type AddressType, type SliceChanges, portsKey } from '../internal/endpoints/index.ts';
import { type Skipped, desiredEndpoints } from './desired.ts';
import type { Slices } from './hints.ts';
import { type Packed, pack } from './pack.ts';
import {
  type Draft,
  type SliceParts,
  changedSlice,
  hasOtherLabels,
  isOwnedBy,
  labelsFor,
  newSlice,
  recycledSlice,
} from './slice.ts';

/** What the caches show of one address type of a Service. */
export interface Snapshot {
  readonly service: Service;
  readonly type: AddressType;
  /** All that the Service's selector matches. */
  readonly pods: readonly Pod[];
  readonly nodeOf: (name: string) => Node | undefined;
  /** Slices of this type that the controller keeps for a Service of this name. */
  readonly existing: readonly EndpointSlice[];
  /** Most endpoints in one slice. */
  readonly limit: number;
}

/** Slices before hints. */
export interface Layout extends Slices {
  readonly remove: readonly EndpointSlice[];
  /** Endpoints and slices of each group, for metrics. */
  readonly groups: readonly { readonly endpoints: number; readonly slices: number }[];
  readonly added: number;
  readonly removed: number;
  readonly skipped: readonly Skipped[];
}

/**
 * Which endpoints go into which slices (`reconcileByAddressType` in `staging/src/k8s.io/endpointslice/reconciler.go`). A
 * Service without endpoints has one empty slice, so that its state can be told from that of one not looked at yet.
 */
export function decideLayout({ service, type, pods, nodeOf, existing, limit }: Snapshot): Layout {
  const ours = Map.groupBy(
    existing.filter((slice) => isOwnedBy(slice, service)),
    (slice) => portsKey(slice.ports),
  );
  const desired = desiredEndpoints(service, pods, type, nodeOf);
  // Slices of a former Service of this name, and of ports that no Pod has any more.
  const remove = existing.filter((slice) => !isOwnedBy(slice, service) || !desired.groups.has(portsKey(slice.ports)));
  const packed: Packed[] = [];
  const groups: { endpoints: number; slices: number }[] = [];
  for (const [key, group] of desired.groups) {
    const own = ours.get(key) ?? [];
    const endpoints = group.endpoints.size;
    const result = pack(service, own, group, limit);
    packed.push(result);
    groups.push({ endpoints, slices: own.length + result.create.length - result.remove.length });
  }
  remove.push(...packed.flatMap((one) => one.remove));
  const create = packed.flatMap((one) => one.create);
  const update = packed.flatMap((one) => one.update);
  if (create.length === 0 && remove.length === existing.length) {
    groups.push({ endpoints: 0, slices: 1 });
    if (remove.length === 1 && isPlaceholder(remove[0]!, service)) remove.pop();
    else create.push({ ports: [], endpoints: [] });
  }
  const touched = new Set<EndpointSlice | undefined>([...remove, ...update.map((draft) => draft.existing)]);
  return {
    create,
    update,
    remove,
    unchanged: existing.filter((slice) => !touched.has(slice)),
    groups,
    added: sum(packed.map((one) => one.added)),
    removed: sum(packed.map((one) => one.removed)),
    skipped: desired.skipped,
  };
}

/** Lists without elements come as null from the API server. */
function isPlaceholder(slice: EndpointSlice, service: Service): boolean {
  const { metadata, endpoints, ports } = slice;
  return (
    !endpoints?.length &&
    !ports?.length &&
    isOwnedBy(slice, service) &&
    semanticEqual(metadata.labels, labelsFor(service))
  );
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/**
 * The requests that bring drafts about. A slice that is to go is turned into one that is to be made; of a Service that is
 * being deleted nothing is made, and nothing saved from deletion for that.
 */
export function decideWrites(
  { create, update }: Slices,
  remove: readonly EndpointSlice[],
  parts: SliceParts,
): SliceChanges {
  const toCreate: Draft[] = [...create];
  const toRemove: EndpointSlice[] = [];
  const toUpdate = update.flatMap((draft) =>
    draft.existing && differs(draft.existing, draft, parts) ? [changedSlice(draft.existing, draft, parts)] : [],
  );
  for (const spent of remove) {
    const draft = isOwnedBy(spent, parts.service) ? toCreate.pop() : undefined;
    if (draft) toUpdate.push(recycledSlice(spent, draft, parts));
    else toRemove.push(spent);
  }
  const created: NewObject<EndpointSlice>[] = toCreate.map((draft) => newSlice(draft, parts));
  return { create: created, update: toUpdate, remove: toRemove };
}

/** Hints that were reckoned anew often come out as they were, and a time alone is nothing to write. */
function differs(existing: EndpointSlice, { endpoints }: Draft, { service }: SliceParts): boolean {
  return !semanticEqual(existing.endpoints, endpoints) || hasOtherLabels(existing, service);
}
