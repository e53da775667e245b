/**
 * Define, run and assist controllers. The library owns the loop (queue, workers, retries, panics, metrics, logs,
 * health); a controller gives triggers and a `reconcile` that works from current state, and may use the assists:
 * expectations, adopt and release, slow start, Pod control, the read-your-writes barrier.
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
export { type ClaimOptions, claim, filterClaimed } from './claim.ts';
export * from './definition.ts';
export { dependentsOf, indexDependents, orphansFor } from './dependents.ts';
export * from './errors.ts';
export * from './expectations.ts';
export * from './fan-out.ts';
export * from './finalizers.ts';
export { indexByLabel, labelledAs, withLabel } from './labelled.ts';
export * from './log-name.ts';
export * from './loop.ts';
export * from './owned-by.ts';
export * from './owner-reference.ts';
export * from './owners.ts';
export * from './pod-availability.ts';
export * from './pod-control.ts';
export * from './pod-ranking.ts';
export * from './pod-template.ts';
export { indexPodsByNode, podsOnNode } from './pods-on-node.ts';
export { PutOffs } from './put-offs.ts';
export * from './reads.ts';
export { together } from './together.ts';
export * from './triggers.ts';
export * from './write-barrier.ts';
