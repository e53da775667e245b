import { sleep } from '#pkg/base';
import { channelSource, createLoop, defineController, runAll } from '#pkg/controller';

import { Collector, describe } from './reconcile.ts';
import { garbageCollectorDescription } from './controller.ts';
import { DiscoveryLoop } from './discovery-loop.ts';
import { toDot } from './dot.ts';
import { Graph } from './graph.ts';
import { Kinds } from './kinds.ts';
import { Monitors } from './monitors.ts';
import { Owners } from './owners.ts';
import { Writer } from './write.ts';
import type { Claim, Vertex } from './vertex.ts';

/** What the loops' keys name, for their logs. */
const OBJECTS = { group: '', version: '', resource: 'objects', kind: 'Object', namespaced: false };

/** Deletes what has lost its owners, dependents before their owners where asked, and lets dependents go where asked. */
export const garbageCollectorController = defineController({
  ...garbageCollectorDescription,
  create(context) {
    const { client, informers, recorder, clock, log, options } = context;
    if (!options['enable-garbage-collector']) return undefined;
    const suspects = channelSource(OBJECTS);
    const orphaning = channelSource(OBJECTS);
    const graph = new Graph({
      suspect: (uid) => suspects.send(uid),
      orphans: (uid) => orphaning.send(uid),
      misplaced(dependent: Vertex, { apiVersion, kind, name, namespace, owner }: Claim) {
        const invalid = `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${owner.uid}]`;
        log.v(2)?.info('item references an owner but does not match namespaces', {
          item: describe(dependent),
          owner: describe(owner),
        });
        if (dependent.kind === undefined) return;
        const about = {
          apiVersion: dependent.kind.apiVersion,
          kind: dependent.kind.resource.kind,
          name: dependent.name,
          uid: dependent.uid,
          ...(namespace === '' ? {} : { namespace }),
        };
        recorder.event(
          about,
          'Warning',
          'OwnerRefInvalidNamespace',
          `ownerRef ${invalid} does not exist in namespace ${JSON.stringify(namespace)}`,
        );
      },
    });
    const kinds = new Kinds();
    const monitors = new Monitors({ informers, graph, clock, log, onDefinition: () => discovery.poke() });
    const discovery = new DiscoveryLoop({ context, graph, kinds, monitors });
    const owners = new Owners({ client, graph, kinds, clock });
    const collector = new Collector({ context, graph, monitors, owners, requests: new Writer(client) });
    const common = { resource: OBJECTS, workers: options['concurrent-gc-syncs'], caches: [discovery] };
    const loops = [
      discovery,
      createLoop(context, {
        ...common,
        queue: 'garbage_collector_attempt_to_delete',
        triggers: [suspects],
        reconcile: (uid, signal) => collector.collect(uid, signal),
      }),
      createLoop(context, {
        ...common,
        queue: 'garbage_collector_attempt_to_orphan',
        triggers: [orphaning],
        reconcile: (uid, signal) => collector.orphan(uid, signal),
      }),
    ];
    return {
      ...runAll(context, loops),
      async debug(path, query) {
        if (path !== '/graph') return undefined;
        const headers = { 'content-type': 'text/vnd.graphviz', 'x-content-type-options': 'nosniff' };
        return { status: 200, headers, body: await toDot(graph, () => sleep(clock, 0), query.getAll('uid')) };
      },
    };
  },
});
