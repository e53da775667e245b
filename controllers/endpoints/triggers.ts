import { type Endpoints, type Service, keyOf, resources } from '#pkg/api';
import { type Trigger, on } from '#pkg/controller';

import { isLeaderRecord } from '../internal/endpoints/index.ts';

/** How long the API server has to delete Endpoints with their Service, ms, before they are looked for. */
const DELETION_DELAY = 1000;

/** Every change of a Service, resyncs included. */
export function onService(): Trigger<Service> {
  return on(
    resources.services,
    {
      add: (service) => [keyOf(service)],
      update: (_old, current) => [keyOf(current)],
      delete: (service) => [{ key: keyOf(service), after: DELETION_DELAY }],
    },
    { resync: true },
  );
}

/**
 * Endpoints that are there at the start may be of a Service that went while nobody looked; those that come later without
 * one are somebody's own. Candidates for a lead once kept their record in Endpoints, which have no Service
 * (`checkLeftoverEndpoints` in `pkg/controller/endpoint`). Endpoints that go are made again.
 */
export function onEndpoints(): Trigger<Endpoints> {
  return on(resources.endpoints, {
    add: (endpoints, isInitial) => (isInitial && !isLeaderRecord(endpoints) ? [keyOf(endpoints)] : []),
    delete: (endpoints) => [keyOf(endpoints)],
  });
}
