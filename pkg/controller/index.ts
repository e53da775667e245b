/**
 * Define, run and assist controllers. The library owns the loop (queue, workers, retries, panics, metrics, logs,
 * health); a controller gives triggers and a `reconcile` that works from current state, and may use the assists:
 * expectations, adopt and release, slow start, Pod control, the read-your-writes consistency.
 *
 * Not for one-shot jobs or plain timers: a controller without keys implements {@link Controller} itself.
 *
 *     // controller.ts
 *     export const labelDescription = describeController({
 *       name: 'label-controller',
 *       flags: [{ name: 'concurrent-label-syncs', type: 'int32', default: 2, help: 'ConfigMaps labelled at a time' }],
 *       reads: [reads(resources.configMaps)],
 *       rbac: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch', 'patch'] }],
 *     });
 *
 *     // index.ts
 *     export const labelController = defineController({
 *       ...labelDescription,
 *       create(context) {
 *         const maps = context.informers.informer(resources.configMaps).lister;
 *         return createLoop(context, {
 *           queue: 'label',
 *           resource: resources.configMaps,
 *           workers: context.options['concurrent-label-syncs'],
 *           triggers: [forObject(resources.configMaps)],
 *           async reconcile(key, signal) {
 *             const map = maps.get(key);
 *             if (!map || map.metadata.labels?.['seen'] === 'yes') return;
 *             const body = { metadata: { labels: { seen: 'yes' } } };
 *             await context.client.resource(resources.configMaps).patch(splitKey(key), 'merge', body, { signal });
 *           },
 *         });
 *       },
 *     });
 *
 *     // the registry: every start reads descriptions, only a leader loads code
 *     { ...labelDescription, load: async () => (await import('./label/index.ts')).labelController }
 *
 * Outside the registry, say in a test, a definition is whole by itself; {@link defineController} also takes everything in
 * one piece.
 */
export { filterClaimed } from './ownership/claim.ts';
export * from './definition/definition.ts';
export { dependentsOf, indexDependents, orphansFor } from './ownership/dependents.ts';
export * from './errors.ts';
export * from './ownership/expectations.ts';
export * from './batch/fan-out.ts';
export * from './objects/finalizers.ts';
export { indexByLabel, labelledAs, withLabel } from './objects/labelled.ts';
export * from './objects/log-name.ts';
export * from './loop/loop.ts';
export * from './ownership/owned-by.ts';
export * from './ownership/owned-objects.ts';
export * from './ownership/owned-pods.ts';
export * from './ownership/owned-writes.ts';
export * from './ownership/ownership.ts';
export * from './objects/owner-reference.ts';
export * from './ownership/owners.ts';
export * from './pods/availability.ts';
export * from './pods/ranking.ts';
export * from './pods/template.ts';
export { indexPodsByNode, podsOnNode } from './pods/on-node.ts';
export { Debounce } from './loop/debounce.ts';
export * from './definition/reads.ts';
export { runAll } from './loop/run-all.ts';
export * from './source/channel-source.ts';
export * from './source/triggers.ts';
export * from './ownership/consistency-store.ts';
