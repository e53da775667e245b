/**
 * Typed verbs over an abstract transport. Request building and watch decoding are pure; the client adds rate limits,
 * Retry-After, deadlines and the fence that keeps a former leader from writing.
 */
export type * from './client.ts';
export type * from './transport.ts';
