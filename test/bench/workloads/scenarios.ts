import { type Deployment, type NewObject, resources } from '#pkg/api';
import type { Client } from '#pkg/client';

import { eventually } from '../../harness/eventually.ts';

const NAMESPACE = 'default';
const DEPLOYMENTS = 100;
const REPLICAS = 20;
/** On two cores the API server needs minutes for the larger scenarios. */
const PATIENCE = 600_000;
/** Requests of this many at a time. */
const WIDTH = 20;

export interface Scenario {
  readonly name: string;
  run(client: Client): Promise<void>;
}

/** In this order, on one cluster. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'deploy',
    async run(client) {
      await forEach((name) => client.resource(resources.deployments).create(deployment(name)).then());
      await settled(client, REPLICAS);
    },
  },
  {
    name: 'rollout',
    async run(client) {
      await patchAll(client, { spec: { template: { spec: { containers: [{ name: 'app', image: 'app:v2' }] } } } });
      await settled(client, REPLICAS);
    },
  },
  {
    name: 'scale',
    async run(client) {
      for (const replicas of [2, 10]) {
        await patchAll(client, { spec: { replicas } });
        await settled(client, replicas);
      }
    },
  },
  { name: 'idle', run: () => new Promise((resolve) => setTimeout(resolve, 60_000)) },
];

function deployment(name: string): NewObject<Deployment> {
  const labels = { app: name };
  return {
    metadata: { name, namespace: NAMESPACE },
    spec: {
      replicas: REPLICAS,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app:v1' }] } },
    },
  };
}

function patchAll(client: Client, body: object): Promise<void> {
  return forEach((name) => client.resource(resources.deployments).patch({ namespace: NAMESPACE, name }, 'strategic', body).then());
}

async function forEach(task: (name: string) => Promise<void>): Promise<void> {
  const names = Array.from({ length: DEPLOYMENTS }, (_, i) => `web-${i}`);
  for (let i = 0; i < names.length; i += WIDTH) await Promise.all(names.slice(i, i + WIDTH).map(task));
}

/** Every Deployment is observed, updated and available at its size, and no other Pod is left. */
async function settled(client: Client, replicas: number): Promise<void> {
  await eventually(async () => {
    const { items } = await client.resource(resources.deployments).list({ namespace: NAMESPACE });
    const open = items.filter(({ metadata, status }) => {
      const counts = [status?.updatedReplicas, status?.availableReplicas, status?.replicas];
      return status?.observedGeneration !== metadata.generation || counts.some((count) => (count ?? 0) !== replicas);
    });
    if (open.length > 0) throw new Error(`${open.length} Deployments are not settled at ${replicas}`);
    await new Promise((resolve) => setTimeout(resolve, 450));
  }, PATIENCE);
}
