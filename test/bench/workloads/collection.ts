import { type KubeObject, type ResourceType, isNotFound, resources } from '#pkg/api';
import type { Client } from '#pkg/client';

import { eventually } from '../../harness/eventually.ts';
import { NAMESPACE, times } from './objects.ts';

const { configMaps, deployments, pods, replicaSets } = resources;

/** Objects in the graph at whose start a manager is measured, and how many there are to each owner. */
const OBJECTS = Number(process.env['GRAPH'] ?? 50_000);
const FAMILY = 20;
/** It has lost its owner: whoever deletes it collects garbage. */
const PROBE = 'graph-probe';
const PATIENCE = 900_000;

/** Deletes every Deployment, and waits until nothing is left of them. */
export async function deleteDeployments(client: Client, propagationPolicy: 'Background' | 'Foreground'): Promise<void> {
  const { items } = await client.resource(deployments).list({ namespace: NAMESPACE });
  await times(items.length, (i) =>
    client.resource(deployments).delete({ namespace: NAMESPACE, name: items[i]!.metadata.name }, { propagationPolicy }),
  );
  const families: readonly ResourceType[] = [deployments, replicaSets, pods];
  await eventually(async () => {
    for (const type of families) {
      const left = (await client.resource(type).list({ namespace: NAMESPACE, metadataOnly: true })).items.filter(
        ({ metadata }) => metadata.name.startsWith('web-'),
      );
      if (left.length === 0) continue;
      await new Promise((resolve) => setTimeout(resolve, 450));
      throw new Error(`${left.length} ${type.resource} are left`);
    }
  }, PATIENCE);
}

/** Owners with their dependents, of a kind that no other controller caches. */
export async function fillGraph(client: Client): Promise<void> {
  const create = (name: string, owner?: KubeObject): Promise<KubeObject> =>
    client.resource(configMaps).create({
      metadata: {
        name,
        namespace: NAMESPACE,
        labels: { 'app.kubernetes.io/name': 'graph', 'app.kubernetes.io/instance': name },
        ...(owner
          ? {
              ownerReferences: [
                {
                  apiVersion: 'v1',
                  kind: 'ConfigMap',
                  name: owner.metadata.name,
                  uid: owner.metadata.uid,
                  controller: true,
                  blockOwnerDeletion: true,
                },
              ],
            }
          : {}),
      },
      data: { key: 'value' },
    });
  await times(OBJECTS / FAMILY, async (i) => {
    const owner = await create(`graph-${i}`);
    for (let dependent = 1; dependent < FAMILY; dependent++) await create(`graph-${i}-${dependent}`, owner);
  });
}

export async function leaveProbe(client: Client): Promise<void> {
  const ownerReferences = [
    { apiVersion: 'v1', kind: 'ConfigMap', name: 'nobody', uid: '00000000-0000-4000-8000-000000000000' },
  ];
  await client.resource(configMaps).create({ metadata: { name: PROBE, namespace: NAMESPACE, ownerReferences } });
}

export async function probeCollected(client: Client): Promise<void> {
  await eventually(async () => {
    const live = await client
      .resource(configMaps)
      .get({ namespace: NAMESPACE, name: PROBE })
      .catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
    if (live) throw new Error('the probe is still there');
  }, PATIENCE);
}
