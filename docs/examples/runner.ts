// Keeps one Pod running for every ConfigMap that is labelled with an image.
import { type ConfigMap, type PodTemplateSpec, isPodActive, resources } from 'kube-controller-manager/api';
import {
  aggregate,
  createLoop,
  defineController,
  noSelector,
  ownership,
  reads,
} from 'kube-controller-manager/controller';

export const runnerController = defineController({
  name: 'runner',
  reads: [reads(resources.configMaps), reads(resources.pods, 'status.phase')],
  rbac: [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['create', 'delete', 'list', 'patch', 'watch'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
  create(context) {
    // ConfigMaps have no selector: they own the Pods that they create, and adopt none.
    const maps = ownership(context, resources.configMaps, { subsystem: 'runner', selector: noSelector });
    const pods = maps.ownsPods();

    return createLoop(context, {
      queue: 'runner',
      resource: resources.configMaps,
      workers: 2,
      consistency: maps.consistency,
      triggers: [maps.trigger(), pods.trigger()],
      async reconcile(key, signal) {
        const map = maps.lister.get(key);
        if (!map) return maps.forget(key);
        // What was created and deleted last must show in the cache before Pods are counted again.
        if (!pods.expectations.satisfied(key) || map.metadata.deletionTimestamp !== undefined) return;
        const active = pods.of(map).filter(isPodActive);
        const template = templateOf(map);
        const count = template && active.length === 0 ? 1 : 0;
        const remove = active.slice(template ? 1 : 0);
        if (count + remove.length === 0) return;
        const create = { count, pod: () => pods.fromTemplate(map, template!) };
        const { notCreated, notDeleted } = await pods.change(map, { create, remove }, signal);
        const failure = aggregate([...notCreated, ...notDeleted]);
        if (failure !== undefined) throw failure;
      },
    });
  },
});

/** Undefined for a ConfigMap that asks for no Pod. */
function templateOf({ metadata: { name, labels } }: ConfigMap): PodTemplateSpec | undefined {
  const image = labels?.['runner.example.com/image'];
  return image ? { metadata: { labels: { runner: name } }, spec: { containers: [{ name: 'run', image }] } } : undefined;
}
