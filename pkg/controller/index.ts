/**
 * Define, run and assist controllers. The library owns the loop (queue, workers, retries, panics, metrics, logs,
 * health); a controller gives triggers and a `reconcile` that works from current state. One that owns objects of other
 * kinds is given {@link ownership}, which finds, adopts, releases, writes and awaits them.
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
 *
 * A controller that owns Pods, here those of ConfigMaps (`docs/examples/runner.ts` has the rest, and a test runs it):
 *
 *     const maps = ownership(context, resources.configMaps, { subsystem: 'runner', selector: noSelector });
 *     const pods = maps.ownsPods();
 *     return createLoop(context, {
 *       queue: 'runner',
 *       resource: resources.configMaps,
 *       workers: 2,
 *       consistency: maps.consistency,
 *       triggers: [maps.trigger(), pods.trigger()],
 *       async reconcile(key, signal) {
 *         const map = maps.lister.get(key);
 *         if (!map) return maps.forget(key);
 *         if (!pods.expectations.satisfied(key)) return;
 *         const [running, ...surplus] = pods.of(map).filter(isPodActive);
 *         const create = { count: running ? 0 : 1, pod: () => pods.fromTemplate(map, TEMPLATE) };
 *         const { notCreated, notDeleted } = await pods.change(map, { create, remove: surplus }, signal);
 *         const failure = aggregate([...notCreated, ...notDeleted]);
 *         if (failure !== undefined) throw failure;
 *       },
 *     });
 */
export * from './batch/fan-out.ts';
export * from './definition/definition.ts';
export * from './definition/reads.ts';
export { Debounce } from './loop/debounce.ts';
export * from './loop/loop.ts';
export { runAll } from './loop/run-all.ts';
export * from './objects/finalizers.ts';
export { indexByLabel, labelledAs, withLabel } from './objects/labelled.ts';
export * from './objects/log-name.ts';
export * from './objects/owner-reference.ts';
export { filterClaimed } from './ownership/claim.ts';
export * from './ownership/consistency-store.ts';
export { dependentsOf, indexDependents, orphansFor } from './ownership/dependents.ts';
export * from './ownership/expectations.ts';
export * from './ownership/owned-by.ts';
export * from './ownership/owned-objects.ts';
export * from './ownership/owned-pods.ts';
export * from './ownership/owned-writes.ts';
export * from './ownership/owners.ts';
export * from './ownership/ownership.ts';
export * from './pods/availability.ts';
export { indexPodsByNode, podsOnNode } from './pods/on-node.ts';
export * from './pods/ranking.ts';
export * from './pods/template.ts';
export * from './source/channel-source.ts';
export * from './source/triggers.ts';
export * from './errors.ts';
