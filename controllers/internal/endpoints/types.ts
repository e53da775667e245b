import type { EndpointSlice, Service } from '#pkg/api';

/** What an EndpointSlice says of one endpoint. */
export type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];
export type EndpointPort = NonNullable<EndpointSlice['ports']>[number];
export type ServicePort = NonNullable<NonNullable<Service['spec']>['ports']>[number];

/** Kinds of addresses of which slices are made here; `FQDN` ones come from users alone. */
export type AddressType = 'IPv4' | 'IPv6';
