import type { EndpointSlice } from '#pkg/api';

import type { Endpoint } from '../internal/endpoints/index.ts';
import type { Draft } from './slice.ts';

/** Slices on their way to be written, and those that nobody has a reason to write so far. */
export interface Slices {
  readonly create: readonly Draft[];
  readonly update: readonly Draft[];
  readonly unchanged: readonly EndpointSlice[];
}

export const isReady = ({ conditions }: Endpoint): boolean => conditions?.ready === true;

/** The endpoint with these hints, or without any. */
export function hinted(endpoint: Endpoint, hints?: Endpoint['hints']): Endpoint {
  const { hints: _former, ...rest } = endpoint;
  return hints === undefined ? rest : { ...rest, hints };
}

/** The draft with each of its endpoints replaced. */
export function mapEndpoints(draft: Draft, change: (endpoint: Endpoint) => Endpoint): Draft {
  return { ...draft, endpoints: draft.endpoints.map(change) };
}

/** A slice of the cache as a draft that changes nothing yet. */
export function draftOf(existing: EndpointSlice): Draft {
  return { existing, ports: existing.ports ?? [], endpoints: existing.endpoints ?? [] };
}

/** Moves those of the unchanged slices to the updates of which `isWrong` holds. */
export function updateWrong({ create, update, unchanged }: Slices, isWrong: (slice: EndpointSlice) => boolean): Slices {
  const wrong = unchanged.filter(isWrong);
  if (wrong.length === 0) return { create, update, unchanged };
  return {
    create,
    update: [...update, ...wrong.map(draftOf)],
    unchanged: unchanged.filter((slice) => !wrong.includes(slice)),
  };
}

/** No endpoint has hints any more; a slice that had some is written. */
export function withoutHints(slices: Slices): Slices {
  const { create, update, unchanged } = updateWrong(slices, (slice) =>
    (slice.endpoints ?? []).some(({ hints }) => hints !== undefined),
  );
  const strip = (draft: Draft): Draft => mapEndpoints(draft, (endpoint) => hinted(endpoint));
  return { create: create.map(strip), update: update.map(strip), unchanged };
}
