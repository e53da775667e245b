import type { EndpointSlice, Endpoints, Service } from '#pkg/api';

/** What an EndpointSlice says of one endpoint. */
export type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];
export type EndpointPort = NonNullable<EndpointSlice['ports']>[number];
/** Addresses that serve the same ports, in Endpoints. */
export type Subset = NonNullable<Endpoints['subsets']>[number];
export type EndpointAddress = NonNullable<Subset['addresses']>[number];
export type SubsetPort = NonNullable<Subset['ports']>[number];
export type ServicePort = NonNullable<NonNullable<Service['spec']>['ports']>[number];

/** Kinds of addresses of which slices are made here; `FQDN` ones come from users alone. */
export type AddressType = 'IPv4' | 'IPv6';
