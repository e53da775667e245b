import { type DaemonSet, type Deployment, type Job, type NewObject, type StatefulSet, resources } from '#pkg/api';
import type { Client } from '#pkg/client';

export const NAMESPACE = 'default';

/** Requests of this many at a time. */
const WIDTH = 20;

export async function times(count: number, task: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i += WIDTH)
    await Promise.all(Array.from({ length: Math.min(WIDTH, count - i) }, (_, j) => task(i + j)));
}

function podsOf(name: string): {
  selector: { matchLabels: { app: string } };
  template: object & { metadata: object; spec: { containers: { name: string; image: string }[] } };
} {
  const labels = { app: name };
  return {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app:v1' }] } },
  };
}

export function deployment(name: string, replicas: number): NewObject<Deployment> {
  return { metadata: { name, namespace: NAMESPACE }, spec: { replicas, ...podsOf(name) } };
}

export function daemonSet(name: string): NewObject<DaemonSet> {
  return { metadata: { name, namespace: NAMESPACE }, spec: podsOf(name) };
}

/** All of its Pods run at once and succeed after a while. */
export function job(name: string, pods: number): NewObject<Job> {
  return {
    metadata: { name, namespace: NAMESPACE },
    spec: {
      completions: pods,
      parallelism: pods,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'work', image: 'work:v1' }] } },
    },
  };
}

/** Each Pod has a claim. */
export function statefulSet(name: string, replicas: number): NewObject<StatefulSet> {
  const claim = {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
  return {
    metadata: { name, namespace: NAMESPACE },
    spec: { serviceName: name, replicas, volumeClaimTemplates: [claim], ...podsOf(name) },
  };
}

/** Ready, and with nobody behind them: whoever runs the Pods runs them here, too. */
export function createNodes(client: Client, count: number): Promise<void> {
  return times(count, async (i) => {
    const name = `node-${i}`;
    const capacity = { cpu: '8', memory: '32Gi', pods: '250' };
    await client.resource(resources.nodes).create({ metadata: { name, labels: { 'kubernetes.io/hostname': name } } });
    // As somebody does who sees that it is ready.
    await client.resource(resources.nodes).patch({ name }, 'merge', { spec: { taints: null } });
    const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }];
    await client
      .resource(resources.nodes)
      .patch(
        { name },
        'strategic',
        { status: { capacity, allocatable: capacity, conditions } },
        { subresource: 'status' },
      );
  });
}
