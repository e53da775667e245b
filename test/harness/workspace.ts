import {
  type CoreEvent,
  type Deployment,
  type DeploymentSpec,
  type KubeObject,
  type Pod,
  type PodTemplateSpec,
  type ReplicaSet,
  type ResourceType,
  isConflict,
  isPodActive,
  resources,
} from '#pkg/api';
import type { Client } from '#pkg/client';

import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.ts';
import { startDaemon } from './daemon.ts';
import { eventually } from './eventually.ts';
import type { Child } from './processes.ts';
import { createTestClient } from './test-client.ts';

export const NEVER_READY = { 'simulation.kubernetes.io/never-ready': 'true' };
/** Pods take their time to end, so that what happens meanwhile can be seen. */
export const ENDS_SLOWLY = { 'simulation.kubernetes.io/termination-delay': '3s' };

/** An API server with one controller manager on it, for all cases of a file. */
export interface Stage {
  readonly plane: ControlPlane;
  readonly daemon: Child;
  /** A namespace of its own for a case. */
  workspace(title: string): Promise<Workspace>;
  stop(): Promise<void>;
}

export interface StageOptions extends ControlPlaneOptions {
  /** Which the manager runs; those of Deployments and ReplicaSets where missing. */
  readonly controllers?: readonly string[];
}

export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const { controllers = ['deployment-controller', 'replicaset-controller'] } = options;
  const plane = await startControlPlane(options);
  const access = await createTestClient(plane.adminKubeconfig);
  const workspace = namespacesOf(access.client);
  const daemon = startDaemon({
    kubeconfig: plane.adminKubeconfig,
    flags: [
      '--leader-elect=false',
      `--controllers=${controllers.join(',')}`,
      '--kube-api-qps=1000',
      '--kube-api-burst=1000',
      '--concurrent-deployment-syncs=20',
      '--concurrent-replicaset-syncs=20',
    ],
  });
  return {
    plane,
    daemon,
    workspace,
    async stop() {
      const ended = await daemon.stop();
      await access.close();
      await plane.stop();
      if (ended !== 0 && !process.env['KCM_COMMAND'])
        throw new Error(`the daemon ended with ${ended}:\n${daemon.output.slice(-3000)}`);
    },
  };
}

/** Makes a new namespace each time it is called. */
export function namespacesOf(client: Client): (title: string) => Promise<Workspace> {
  const run = Date.now().toString(36);
  let count = 0;
  return async (title) => {
    const namespace = `test-${run}-${++count}`;
    await client
      .resource(resources.namespaces)
      .create({ metadata: { name: namespace, annotations: { 'test.example/case': title } } });
    return new Workspace(client, namespace);
  };
}

/** A template of one container; the same image, the same template. */
export function template(
  image: string,
  annotations?: Record<string, string>,
  labels: Record<string, string> = { app: 'web' },
): PodTemplateSpec {
  return {
    metadata: { labels, ...(annotations ? { annotations } : {}) },
    spec: { containers: [{ name: 'app', image }] },
  };
}

/** One namespace: everything a case does, and what it looks at. */
export class Workspace {
  readonly namespace: string;
  readonly client: Client;

  constructor(client: Client, namespace: string) {
    this.client = client;
    this.namespace = namespace;
  }

  create<T extends KubeObject>(
    type: ResourceType<T>,
    object: Omit<T, 'metadata'> & { metadata: Partial<T['metadata']> },
  ): Promise<T> {
    return this.client
      .resource(type)
      .create({ ...object, metadata: { ...object.metadata, namespace: this.namespace } });
  }

  createDeployment(
    spec: Partial<DeploymentSpec> = {},
    metadata: Partial<Deployment['metadata']> = {},
  ): Promise<Deployment> {
    return this.create(resources.deployments, {
      metadata: { name: 'web', ...metadata },
      spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: template('app:v1'), ...spec },
    });
  }

  createReplicaSet(
    spec: Partial<NonNullable<ReplicaSet['spec']>> = {},
    metadata: Partial<ReplicaSet['metadata']> = {},
  ): Promise<ReplicaSet> {
    return this.create(resources.replicaSets, {
      metadata: { name: 'web', labels: { app: 'web' }, ...metadata },
      spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: template('app:v1'), ...spec },
    });
  }

  get<T extends KubeObject>(type: ResourceType<T>, name = 'web'): Promise<T> {
    return this.client.resource(type).get({ namespace: this.namespace, name });
  }

  async list<T extends KubeObject>(type: ResourceType<T>): Promise<readonly T[]> {
    return (await this.client.resource(type).list({ namespace: this.namespace })).items;
  }

  deployment(): Promise<Deployment> {
    return this.get(resources.deployments);
  }

  /** Oldest revision first. */
  async replicaSets(): Promise<ReplicaSet[]> {
    const revision = ({ metadata }: ReplicaSet): number =>
      Number(metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
    return (await this.list(resources.replicaSets)).toSorted((a, b) => revision(a) - revision(b));
  }

  /** `image wanted/available` of every ReplicaSet, oldest revision first. */
  async sizes(): Promise<string[]> {
    return (await this.replicaSets()).map(
      ({ spec, status }) =>
        `${spec!.template!.spec!.containers[0]!.image} ${spec!.replicas}/${status?.availableReplicas ?? 0}`,
    );
  }

  async activePods(): Promise<Pod[]> {
    return (await this.list(resources.pods)).filter(isPodActive);
  }

  merge<T extends KubeObject>(type: ResourceType<T>, body: object, name = 'web'): Promise<T> {
    return this.client.resource(type).patch({ namespace: this.namespace, name }, 'merge', body);
  }

  update(spec: object): Promise<Deployment> {
    return this.merge(resources.deployments, { spec });
  }

  annotate(annotations: Record<string, string | null>): Promise<Deployment> {
    return this.merge(resources.deployments, { metadata: { annotations } });
  }

  /** Reads, changes and writes back until no one comes between. */
  async change<T extends KubeObject>(type: ResourceType<T>, name: string, change: (object: T) => T): Promise<T> {
    for (;;) {
      try {
        return await this.client.resource(type).update(change(await this.get(type, name)));
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
  }

  /** `type reason message`, of events about `kind`, oldest first; one line however often it happened. */
  async events(kind: string): Promise<string[]> {
    const order = (event: CoreEvent): string =>
      event.firstTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp;
    const all = (await this.list(resources.events)).filter(({ involvedObject }) => involvedObject.kind === kind);
    return all
      .toSorted(
        (a, b) =>
          order(a).localeCompare(order(b)) || Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion),
      )
      .map(({ type, reason, message }) => `${type} ${reason} ${message}`);
  }

  /** Waits until all Pods are updated and available, and the Deployment says that it is done. */
  complete(name = 'web'): Promise<Deployment> {
    return eventually(async () => {
      const deployment = await this.get(resources.deployments, name);
      if (!isComplete(deployment))
        throw new Error(`${this.namespace}/${name} is not complete: ${JSON.stringify(deployment.status)}`);
      return deployment;
    });
  }

  async condition(type: string): Promise<string | undefined> {
    const found = (await this.deployment()).status?.conditions?.find((one) => one.type === type);
    return found && `${found.status} ${found.reason}`;
  }
}

function isComplete({ metadata, spec, status }: Deployment): boolean {
  const counts = [status?.replicas, status?.updatedReplicas, status?.availableReplicas];
  return (
    status?.observedGeneration === metadata.generation &&
    counts.every((count = 0) => count === spec!.replicas) &&
    status!.conditions!.some(({ type, reason }) => type === 'Progressing' && reason === 'NewReplicaSetAvailable')
  );
}
