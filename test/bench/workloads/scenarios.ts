import { type KubeObject, type ResourceType, resources } from '#pkg/api';
import type { Client } from '#pkg/client';

import { eventually } from '../../harness/eventually.ts';
import { deleteDeployments, fillGraph, leaveProbe, probeCollected } from './collection.ts';
import { NAMESPACE, createNodes, daemonSet, deployment, job, statefulSet, times } from './objects.ts';
import { deleteNamespaces, fillNamespaces } from './namespaces.ts';
import { createPodNode, deletePods, deleteSlices, endpointsSettled, service } from './services.ts';

const DEPLOYMENTS = 100;
const REPLICAS = 20;
const SETS = 10;
const MEMBERS = 10;
const NODES = 50;
const DAEMON_SETS = 5;
const JOBS = 100;
const COMPLETIONS = 10;
/** Pods that die under Services. */
const CHURN = 500;
const SERVICES = 500;
const IDLE = 60_000;
/** Pods in the cluster at whose start a manager is measured. */
const PODS = Number(process.env['PODS'] ?? 5000);
/** On two cores the API server needs minutes for the larger scenarios. */
const PATIENCE = 900_000;

export interface Scenario {
  readonly name: string;
  /** Done before anything is counted, by the manager that has run so far. */
  prepare?(client: Client): Promise<void>;
  /** Measured is a manager that is started anew, until it asks for nothing any more. */
  readonly fresh?: boolean;
  /** Done while no manager runs, before a fresh one. */
  beforeStart?(client: Client): Promise<void>;
  run?(client: Client): Promise<void>;
}

/** In this order, on one cluster. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'deploy',
    async run(client) {
      await times(DEPLOYMENTS, (i) =>
        client
          .resource(resources.deployments)
          .create(deployment(`web-${i}`, REPLICAS))
          .then(),
      );
      await deploymentsSettled(client, REPLICAS);
    },
  },
  {
    name: 'rollout',
    async run(client) {
      await patchDeployments(client, { template: { spec: { containers: [{ name: 'app', image: 'app:v2' }] } } });
      await deploymentsSettled(client, REPLICAS);
    },
  },
  {
    name: 'scale',
    async run(client) {
      for (const replicas of [2, 10]) await resizeDeployments(client, replicas);
    },
  },
  {
    name: 'sets',
    async run(client) {
      await times(SETS, (i) =>
        client
          .resource(resources.statefulSets)
          .create(statefulSet(`set-${i}`, MEMBERS))
          .then(),
      );
      await settled(
        client,
        resources.statefulSets,
        ({ metadata, status }) =>
          status !== undefined &&
          status.observedGeneration === metadata.generation &&
          status.currentRevision === status.updateRevision &&
          all(MEMBERS, [status.replicas, status.updatedReplicas, status.readyReplicas, status.availableReplicas]),
      );
    },
  },
  {
    name: 'daemonsets',
    prepare: (client) => createNodes(client, NODES),
    async run(client) {
      await times(DAEMON_SETS, (i) =>
        client
          .resource(resources.daemonSets)
          .create(daemonSet(`agent-${i}`))
          .then(),
      );
      await settled(
        client,
        resources.daemonSets,
        ({ metadata, status }) =>
          status !== undefined &&
          status.observedGeneration === metadata.generation &&
          all(NODES, [
            status.desiredNumberScheduled,
            status.updatedNumberScheduled,
            status.numberReady,
            status.numberAvailable,
          ]),
      );
    },
  },
  {
    name: 'jobs',
    async run(client) {
      await times(JOBS, (i) =>
        client
          .resource(resources.jobs)
          .create(job(`job-${i}`, COMPLETIONS))
          .then(),
      );
      await settled(
        client,
        resources.jobs,
        ({ status }) =>
          status?.conditions?.some(({ type, status: holds }) => type === 'Complete' && holds === 'True') ?? false,
      );
    },
  },
  {
    name: 'services',
    async prepare(client) {
      await createPodNode(client);
      await resizeDeployments(client, REPLICAS);
    },
    async run(client) {
      await times(DEPLOYMENTS, (i) =>
        client
          .resource(resources.services)
          .create(service(`web-${i}`))
          .then(),
      );
      await endpointsSettled(client);
      await deletePods(client, CHURN);
      await deploymentsSettled(client, REPLICAS);
      await endpointsSettled(client);
    },
  },
  {
    // Slices of Services of which none was ever looked at: what a cluster waits for when the controller comes to it.
    name: 'services-start',
    async prepare(client) {
      await createPodNode(client);
      await resizeDeployments(client, REPLICAS);
      await times(SERVICES, (i) =>
        client
          .resource(resources.services)
          .create(service(`more-${i}`, `web-${i % DEPLOYMENTS}`))
          .then(),
      );
    },
    fresh: true,
    beforeStart: deleteSlices,
    run: endpointsSettled,
  },
  { name: 'namespaces', prepare: fillNamespaces, run: deleteNamespaces },
  {
    name: 'delete',
    prepare: (client) => resizeDeployments(client, REPLICAS),
    run: (client) => deleteDeployments(client, 'Background'),
  },
  {
    name: 'delete-foreground',
    prepare: (client) => resizeDeployments(client, REPLICAS),
    run: (client) => deleteDeployments(client, 'Foreground'),
  },
  { name: 'idle', run: () => new Promise((resolve) => setTimeout(resolve, IDLE)) },
  {
    name: 'start',
    prepare: (client) => resizeDeployments(client, PODS / DEPLOYMENTS),
    fresh: true,
  },
  // Until what has lost its owner is collected among 50,000 objects.
  { name: 'graph', prepare: fillGraph, fresh: true, beforeStart: leaveProbe, run: probeCollected },
];

async function resizeDeployments(client: Client, replicas: number): Promise<void> {
  await patchDeployments(client, { replicas });
  await deploymentsSettled(client, replicas);
}

/** Also creates those that are not there, as where a later scenario is the first one wanted. */
async function patchDeployments(client: Client, spec: object): Promise<void> {
  const deployments = client.resource(resources.deployments);
  const { items } = await deployments.list({ namespace: NAMESPACE });
  if (items.length === 0) await times(DEPLOYMENTS, (i) => deployments.create(deployment(`web-${i}`, REPLICAS)).then());
  await times(DEPLOYMENTS, (i) =>
    deployments.patch({ namespace: NAMESPACE, name: `web-${i}` }, 'strategic', { spec }).then(),
  );
}

/** Every Deployment is observed, updated and available at its size, and no other Pod is left. */
function deploymentsSettled(client: Client, replicas: number): Promise<void> {
  return settled(
    client,
    resources.deployments,
    ({ metadata, status }) =>
      status !== undefined &&
      status.observedGeneration === metadata.generation &&
      all(replicas, [status.updatedReplicas, status.availableReplicas, status.replicas]),
  );
}

function all(wanted: number, counts: readonly (number | undefined)[]): boolean {
  return counts.every((count) => (count ?? 0) === wanted);
}

async function settled<T extends KubeObject>(
  client: Client,
  type: ResourceType<T>,
  isDone: (object: T) => boolean,
): Promise<void> {
  await eventually(async () => {
    const { items } = await client.resource(type).list({ namespace: NAMESPACE });
    const open = items.filter((object) => !isDone(object)).length;
    if (open === 0 && items.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 450));
    throw new Error(`${open} ${type.resource} are not settled`);
  }, PATIENCE);
}
