/**
 * Typed verbs over an abstract transport: what controllers, caches and electors talk to the API server with. Request
 * building and watch decoding are pure; the client adds rate limits, Retry-After, deadlines and the fence that keeps a
 * former leader from writing. To read often, do not call `get`: use an informer (`#pkg/cache`).
 *
 *     const client = createClient({ transport, userAgent: 'example/v1', qps: 20, burst: 30 });
 *     const pods = await client.resource(resources.pods).list({ namespace: 'default', limit: 500 });
 *
 * Every call rejects with an `ApiError` when the server refused, a `TransportError` when it gave no usable answer, the
 * signal's reason when it was cancelled, and with what the fence threw.
 */
export type * from './client.ts';
export { type ClientOptions, createClient } from './create-client.ts';
export { type DiscoveredResource, type Discovery, discover } from './discovery.ts';
export { TransportError, type TransportErrorCode, type TransportErrorData, isTransportError } from './errors.ts';
export { ignoreNotFound } from './ignore-not-found.ts';
export { KnownVersions } from './known-versions.ts';
export { TokenBucket } from './rate-limiter.ts';
export type * from './transport.ts';
