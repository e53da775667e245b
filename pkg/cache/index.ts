/**
 * Local copies of what is in the API server, kept up by watches and shared by everyone in the process: read from a
 * lister instead of asking the server, and hear of changes instead of polling. Not for a single read, and not for what
 * must be the very latest state: a cache is always a little behind (`lastSyncResourceVersion` says how far it is).
 *
 *     const factory = createInformerFactory({ client, clock: systemClock, random: systemRandom, log, metrics });
 *     const pods = factory.informer(resources.pods);
 *     pods.addIndex('node', (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
 *     pods.addEventHandler({ onAdd: (pod) => queue.add(keyOf(pod)) });
 *     factory.start(signal);
 *     await factory.waitForCacheSync(signal);
 *     const onNode = pods.lister.byIndex('node', 'node-1');
 *
 * Cached objects are shared with every other reader: never write to them (pass `freeze` in tests to be told). An informer
 * does not stop by itself, whatever the server or the network do; it ends with its signal.
 */
export * from './types.ts';
export { CacheError, type CacheErrorCode } from './errors.ts';
export { keepFields } from './projection.ts';
export { compareResourceVersions, hasReached } from './resource-version.ts';
export { type InformerClient, type InformerFactoryOptions, createInformerFactory } from './factory.ts';
