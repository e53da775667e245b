import type { EndpointSlice, Endpoints } from '#pkg/api';

import { type EndpointSet, type SliceChanges, sameEndpoint } from '../internal/endpoints/index.ts';
import { type Group, desiredGroups, groupKey } from './desired.ts';
import { type Draft, changedSlice, isFor, newSlice } from './slice.ts';

export interface Snapshot {
  readonly endpoints: Endpoints;
  /** Slices that the controller keeps for the Service of that name. */
  readonly existing: readonly EndpointSlice[];
  /** Most endpoints mirrored from one subset. */
  readonly limit: number;
}

interface Totals {
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
}

export interface Decision extends Totals {
  readonly changes: SliceChanges;
  /** Slices that say what they should. */
  readonly settled: readonly EndpointSlice[];
  /** Endpoints and slices of each group, for metrics. */
  readonly groups: readonly { readonly endpoints: number; readonly slices: number }[];
  /** Addresses that are none. */
  readonly invalid: readonly string[];
  /** Addresses left out, as invalid or as too many. */
  readonly skipped: number;
}

/** What becomes of the slices of one group. */
interface Step extends Totals {
  readonly settled?: EndpointSlice;
  readonly change?: { readonly existing: EndpointSlice | undefined; readonly draft: Draft };
  readonly remove: readonly EndpointSlice[];
}

const NONE: Totals = { added: 0, updated: 0, removed: 0 };

/**
 * One slice for the addresses of one type of each subset (`reconcile` in
 * `pkg/controller/endpointslicemirroring/reconciler.go`). A slice that is to go is turned into one of its type that is to
 * be made: one request instead of two.
 */
export function decide({ endpoints, existing, limit }: Snapshot): Decision {
  const desired = desiredGroups(endpoints, limit);
  const byKey = Map.groupBy(existing, ({ addressType, ports }) => groupKey(addressType, ports));
  const steps: Step[] = [];
  const groups: { endpoints: number; slices: number }[] = [];
  for (const [key, group] of desired.groups) {
    const own = byKey.get(key) ?? [];
    const step = groupStep(endpoints, group, own);
    steps.push(step);
    const created = step.change && !step.change.existing ? 1 : 0;
    groups.push({ endpoints: group.endpoints.size, slices: own.length + created - step.remove.length });
  }
  const unwanted = [...byKey].flatMap(([key, slices]) => (desired.groups.has(key) ? [] : slices));
  const total = (of: keyof Totals): number => steps.reduce((sum, step) => sum + step[of], 0);
  return {
    changes: changesOf(endpoints, steps, unwanted),
    settled: steps.flatMap(({ settled }) => settled ?? []),
    groups,
    added: total('added'),
    updated: total('updated'),
    removed: total('removed'),
    invalid: desired.invalid,
    skipped: desired.skipped,
  };
}

function groupStep(endpoints: Endpoints, group: Group, own: readonly EndpointSlice[]): Step {
  if (group.endpoints.size === 0) {
    return { ...NONE, removed: own.reduce((sum, slice) => sum + (slice.endpoints?.length ?? 0), 0), remove: own };
  }
  const draft = { group, endpoints: group.endpoints.values() };
  const compared = own.map((slice) => ({ slice, totals: difference(slice, group.endpoints) }));
  const settled = compared.find(
    ({ slice, totals }) => totals.added + totals.updated + totals.removed === 0 && isFor(slice, endpoints),
  );
  const kept = settled ?? compared[0];
  if (!kept) return { ...NONE, added: group.endpoints.size, change: { existing: undefined, draft }, remove: [] };
  const remove = own.filter((slice) => slice !== kept.slice);
  return {
    ...kept.totals,
    remove,
    ...(settled ? { settled: kept.slice } : { change: { existing: kept.slice, draft } }),
  };
}

function difference({ endpoints: present = [] }: EndpointSlice, wanted: EndpointSet): Totals {
  const found = present.map((endpoint) => ({ endpoint, same: wanted.get(endpoint) }));
  const kept = found.filter(({ same }) => same !== undefined);
  const updated = kept.filter(({ endpoint, same }) => !sameEndpoint(endpoint, same!)).length;
  return { added: wanted.size - kept.length, updated, removed: found.length - kept.length };
}

function changesOf(endpoints: Endpoints, steps: readonly Step[], unwanted: readonly EndpointSlice[]): SliceChanges {
  const spent = [...steps.flatMap(({ remove }) => remove), ...unwanted];
  const create: SliceChanges['create'][number][] = [];
  const update: EndpointSlice[] = [];
  for (const { change } of steps) {
    if (!change) continue;
    const { draft } = change;
    const existing = change.existing ?? takeOfType(spent, draft.group.type);
    if (existing) update.push(changedSlice(existing, draft, endpoints));
    else create.push(newSlice(draft, endpoints));
  }
  return { create, update, remove: spent };
}

function takeOfType(slices: EndpointSlice[], type: string): EndpointSlice | undefined {
  const found = slices.findIndex(({ addressType }) => addressType === type);
  return found < 0 ? undefined : slices.splice(found, 1)[0];
}
