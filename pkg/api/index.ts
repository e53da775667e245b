/**
 * The object model: wire types, the table of known resources, keys, selectors, and what the API server answers when it
 * refuses. Pure: no I/O, no time.
 *
 * Objects are plain JSON as it stands on the wire, read-only by type. To change one, spread it:
 *
 *     const scaled: Deployment = { ...deployment, spec: { ...deployment.spec!, replicas: 3 } };
 */
export * from './errors.ts';
export * from './int-or-string.ts';
export * from './keys.ts';
export * from './pods.ts';
export * from './resources.ts';
export * from './selectors.ts';
export * from './types.ts';
