import type { EndpointSlice, ObjectKey } from '#pkg/api';

import type { AddressType, Endpoint } from '../internal/endpoints/index.ts';
import { type Slices, hinted, isReady, mapEndpoints, updateWrong, withoutHints } from './hints.ts';
import type { Draft } from './slice.ts';
import type { ZoneRatios } from './zone-capacity.ts';

/** How much more traffic than its share an endpoint may get. */
const OVERLOAD = 0.2;

/** Endpoints that a zone is to have: so many at least and at most, and ideally. */
interface Allocation {
  readonly minimum: number;
  readonly maximum: number;
  readonly desired: number;
}

type Counts = ReadonlyMap<string, number>;

/** Why there are no hints, in the words of the event. */
export interface Refusal {
  readonly refused: string;
}

export interface Hinted {
  readonly slices: Slices;
  /** Endpoints for each zone. */
  readonly counts: Counts;
}

/**
 * Hints by which each zone gets as many endpoints as is its part of the CPU: an endpoint is for its own zone, and as few
 * as will do are for others. None at all where that cannot be done fairly (KEP-2433,
 * `staging/src/k8s.io/endpointslice/topologycache`).
 */
export function topologyHints(slices: Slices, ratios: ZoneRatios): Hinted | Refusal {
  const all = [...slices.create, ...slices.update, ...slices.unchanged].flatMap(({ endpoints }) => endpoints ?? []);
  const allocations = allocate(all.filter(isReady).length, ratios);
  if ('refused' in allocations) return allocations;

  const counts = new Map<string, number>();
  const settled = updateWrong(slices, (slice) => {
    const own = hintsByZone(slice, counts, allocations.zones);
    for (const [zone, count] of own ?? []) counts.set(zone, (counts.get(zone) ?? 0) + count);
    return own === undefined;
  });
  const drafts = [...settled.create, ...settled.update];
  if (drafts.some(({ endpoints }) => endpoints.some((endpoint) => isReady(endpoint) && !endpoint.zone))) {
    return { refused: 'One or more endpoints do not have a zone specified' };
  }
  const near = drafts.map((draft) =>
    mapEndpoints(draft, (endpoint) => (isReady(endpoint) ? forZone(endpoint, endpoint.zone!) : endpoint)),
  );
  for (const { endpoints } of near)
    for (const endpoint of endpoints) if (isReady(endpoint)) add(counts, endpoint.zone!, 1);
  const moves = decideMoves(allocations.zones, counts);
  const moved = near.map((draft) => move(draft, moves, counts));
  // Zones that gave everything away stay with a count of none, as upstream's.
  if (counts.size === 0) return { refused: 'No hints allocated for zones' };
  const created = settled.create.length;
  return {
    slices: { create: moved.slice(0, created), update: moved.slice(created), unchanged: settled.unchanged },
    counts,
  };
}

function add(counts: Map<string, number>, zone: string, count: number): void {
  counts.set(zone, (counts.get(zone) ?? 0) + count);
}

const forZone = (endpoint: Endpoint, zone: string): Endpoint => hinted(endpoint, { forZones: [{ name: zone }] });

function allocate(
  endpoints: number,
  ratios: ZoneRatios,
): { readonly zones: ReadonlyMap<string, Allocation> } | Refusal {
  if (ratios === undefined)
    return { refused: 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes' };
  if (ratios.size < 2) return { refused: 'Nodes only ready in one zone' };
  const numbers = `(${endpoints} endpoints, ${ratios.size} zones)`;
  if (ratios.size > endpoints) return { refused: `Insufficient number of endpoints ${numbers}` };
  let spare = endpoints;
  const least = [...ratios].map(([zone, ratio]) => {
    const share = ratio * endpoints;
    const minimum = leastOf(share);
    spare -= minimum;
    return { zone, minimum, desired: Math.max(share, minimum) };
  });
  if (spare < 0)
    return {
      refused: `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${numbers}`,
    };
  return {
    zones: new Map(least.map(({ zone, minimum, desired }) => [zone, { minimum, desired, maximum: minimum + spare }])),
  };
}

/** The fewest endpoints that do for such a share of the traffic. */
const leastOf = (share: number): number => Math.ceil(share * (1 / (1 + OVERLOAD)));

/**
 * What the hints of a slice add to each zone; undefined where they cannot stay: some are missing, for a zone that needs
 * none, or more than a zone may have.
 */
function hintsByZone(slice: EndpointSlice, counts: Counts, zones: ReadonlyMap<string, Allocation>): Counts | undefined {
  const own = new Map<string, number>();
  for (const endpoint of (slice.endpoints ?? []).filter(isReady)) {
    const hints = endpoint.hints?.forZones ?? [];
    if (hints.length === 0) return undefined;
    for (const { name } of hints) add(own, name, 1);
  }
  for (const [zone, count] of own) {
    const allocation = zones.get(zone);
    if (!allocation || count + (counts.get(zone) ?? 0) > allocation.maximum) return undefined;
  }
  return own;
}

interface Moves {
  readonly give: Map<string, number>;
  readonly receive: Map<string, number>;
}

/** How many endpoints change their zone: from the zone that has most too many to the one that has most too few, and again. */
function decideMoves(zones: ReadonlyMap<string, Allocation>, counts: Counts): Moves {
  const tooMany = new Map<string, number>();
  const tooFew = new Map<string, number>();
  for (const [zone, { desired }] of zones) {
    const difference = (counts.get(zone) ?? 0) - desired;
    if (difference > 0) tooMany.set(zone, difference);
    else if (difference < 0) tooFew.set(zone, -difference);
  }
  const moves: Moves = { give: new Map(), receive: new Map() };
  for (;;) {
    const giving = greatest(tooMany);
    const receiving = greatest(tooFew);
    if (!giving || !receiving) return moves;
    const [most, fewest] = [Math.max(giving.count, receiving.count), Math.min(giving.count, receiving.count)];
    // Less than half an endpoint is not worth it, and neither is less than one on both sides.
    if (most < 1 || fewest < 0.5) return moves;
    add(moves.give, giving.zone, 1);
    add(moves.receive, receiving.zone, 1);
    add(tooMany, giving.zone, -1);
    add(tooFew, receiving.zone, -1);
  }
}

function greatest(counts: Counts): { readonly zone: string; readonly count: number } | undefined {
  let found: { zone: string; count: number } | undefined;
  for (const [zone, count] of counts) if (count > (found?.count ?? 0)) found = { zone, count };
  return found;
}

/** Lets ready endpoints be for other zones while there are moves left; uses them up, and counts. */
function move(draft: Draft, { give, receive }: Moves, counts: Map<string, number>): Draft {
  return mapEndpoints(draft, (endpoint) => {
    const from = endpoint.zone ?? '';
    if (!isReady(endpoint) || !(give.get(from)! > 0)) return endpoint;
    const to = [...receive].find(([, count]) => count > 0)?.[0];
    if (to === undefined) return endpoint;
    add(give, from, -1);
    add(receive, to, -1);
    add(counts, to, 1);
    add(counts, from, -1);
    return forZone(endpoint, to);
  });
}

/** Some zone has fewer endpoints than its traffic needs. */
export function isOverloaded(counts: Counts, ratios: ZoneRatios): boolean {
  if (counts.size === 0) return false;
  if (ratios === undefined || ratios.size === 0) return true;
  let total = 0;
  for (const count of counts.values()) total += count;
  return [...ratios].some(([zone, ratio]) => !counts.has(zone) || counts.get(zone)! < leastOf(total * ratio));
}

/** An event about the hints of a Service. */
export interface HintsEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'TopologyAwareHintsEnabled' | 'TopologyAwareHintsDisabled';
  readonly message: string;
}

/** Which Services have hints of this kind, and how they are spread over zones. */
export class TopologyHints {
  readonly #spread = new Map<ObjectKey, Map<AddressType, Counts>>();
  /** Services with hints at the last look; of one that lost those of one address type it is not known. */
  readonly #populated = new Set<ObjectKey>();

  /** Sets hints, or takes them away where there can be none. */
  hint(
    service: ObjectKey,
    type: AddressType,
    slices: Slices,
    ratios: ZoneRatios,
  ): { readonly slices: Slices; readonly event?: HintsEvent } {
    const result = topologyHints(slices, ratios);
    if ('refused' in result) {
      this.forget(service, type);
      return { slices: withoutHints(slices), event: disabled(result.refused, type) };
    }
    const isNew = !this.#populated.has(service);
    this.#populated.add(service);
    const spread = this.#spread.get(service) ?? new Map<AddressType, Counts>();
    this.#spread.set(service, spread.set(type, result.counts));
    return { slices: result.slices, ...(isNew ? { event: enabled(type) } : {}) };
  }

  /** The Service asks for no such hints. Tells of it where it did before. */
  leave(service: ObjectKey, type: AddressType): HintsEvent | undefined {
    const event = this.#populated.has(service) ? disabled('Topology Aware Hints has been disabled', type) : undefined;
    this.forget(service, type);
    return event;
  }

  /** Without a type: the Service is gone. */
  forget(service: ObjectKey, type?: AddressType): void {
    this.#populated.delete(service);
    const spread = this.#spread.get(service);
    if (type !== undefined) spread?.delete(type);
    if (type === undefined || spread?.size === 0) this.#spread.delete(service);
  }

  /** Services whose hints no longer do, now that the zones have other parts of the CPU. */
  overloaded(ratios: ZoneRatios): ObjectKey[] {
    return [...this.#spread]
      .filter(([, spread]) => [...spread.values()].some((counts) => isOverloaded(counts, ratios)))
      .map(([service]) => service);
  }
}

const enabled = (type: AddressType): HintsEvent => ({
  type: 'Normal',
  reason: 'TopologyAwareHintsEnabled',
  message: `Topology Aware Hints has been enabled, addressType: ${type}`,
});
const disabled = (why: string, type: AddressType): HintsEvent => ({
  type: 'Warning',
  reason: 'TopologyAwareHintsDisabled',
  message: `${why}, addressType: ${type}`,
});
