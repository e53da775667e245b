import { type Endpoints, type Service, keyOf, resources } from '#pkg/api';
import { type Trigger, on } from '#pkg/controller';

import { isLeaderRecord } from '../internal/endpoints/index.ts';

/** Label of Endpoints, `true` where they are not to be mirrored. */
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror';

/** Neither told to be left alone nor a record of who leads, whatever the Service (`shouldMirror`). */
export function mayBeMirrored(endpoints: Endpoints): boolean {
  return endpoints.metadata.labels?.[SKIP_MIRROR] !== 'true' && !isLeaderRecord(endpoints);
}

/** The Service says itself what its endpoints are. */
export function hasSelector({ spec }: Service): boolean {
  return Object.keys(spec?.selector ?? {}).length > 0;
}

/** Endpoints that may be mirrored, or might until now; resyncs too, as a safety net. */
export function onEndpoints(): Trigger<Endpoints> {
  const own = (endpoints: Endpoints): string[] => (mayBeMirrored(endpoints) ? [keyOf(endpoints)] : []);
  return on(
    resources.endpoints,
    { add: own, update: (old, current) => (mayBeMirrored(current) ? [keyOf(current)] : own(old)), delete: own },
    { resync: true },
  );
}

/** A Service without selector that comes or goes, or a selector that does. */
export function onService(): Trigger<Service> {
  const own = (service: Service): string[] => (hasSelector(service) ? [] : [keyOf(service)]);
  return on(resources.services, {
    add: own,
    update: (old, current) => (hasSelector(old) === hasSelector(current) ? [] : [keyOf(current)]),
    delete: own,
  });
}
