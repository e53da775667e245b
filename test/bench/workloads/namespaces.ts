import { resources } from '#pkg/api';
import type { Client } from '#pkg/client';

import { eventually } from '../../harness/eventually.ts';
import { deployment, job, times } from './objects.ts';
import { service } from './services.ts';

const NAMESPACES = 10;
/** Of each kind of small object in a namespace. */
const EACH = 20;
const DEPLOYMENTS = 5;
const REPLICAS = 4;
const PATIENCE = 300_000;

const nameOf = (i: number): string => `team-${i}`;

/** Namespaces with workloads, their Pods, Services, and a heap of configuration. */
export async function fillNamespaces(client: Client): Promise<void> {
  for (let i = 0; i < NAMESPACES; i++) {
    const namespace = nameOf(i);
    await client.resource(resources.namespaces).create({ metadata: { name: namespace } });
    const place = <T extends { metadata: object }>(object: T): T => ({
      ...object,
      metadata: { ...object.metadata, namespace },
    });
    await times(EACH, async (n) => {
      const metadata = { name: `thing-${n}`, namespace };
      await client.resource(resources.configMaps).create({ metadata, data: { a: 'b' } });
      await client.resource(resources.secrets).create({ metadata });
      await client.resource(resources.serviceAccounts).create({ metadata });
    });
    await times(DEPLOYMENTS, async (n) => {
      await client.resource(resources.deployments).create(place(deployment(`web-${n}`, REPLICAS)));
      await client.resource(resources.services).create(place(service(`web-${n}`)));
    });
    await client.resource(resources.jobs).create(place(job('work', 3)));
  }
  await eventually(async () => {
    const { items } = await client.resource(resources.deployments).list();
    const open = items.filter(
      ({ metadata, status }) => metadata.namespace?.startsWith('team-') && status?.availableReplicas !== REPLICAS,
    );
    if (open.length > 0) throw new Error(`${open.length} Deployments are not available`);
  }, PATIENCE);
}

/** Deletes them all at once, and waits until none is left. */
export async function deleteNamespaces(client: Client): Promise<void> {
  const namespaces = client.resource(resources.namespaces);
  await times(NAMESPACES, (i) => namespaces.delete({ name: nameOf(i) }));
  await eventually(async () => {
    const { items } = await namespaces.list();
    const left = items.filter(({ metadata }) => metadata.name.startsWith('team-')).length;
    if (left === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 450));
    throw new Error(`${left} namespaces are left`);
  }, PATIENCE);
}
