import { type EndpointSlice, type NewObject, type Pod, type Service, keyOf, resources } from '#pkg/api';
import type { Client } from '#pkg/client';

import { eventually } from '../../harness/eventually.ts';
import { NAMESPACE, times } from './objects.ts';

const SERVICE_NAME = 'kubernetes.io/service-name';
const PATIENCE = 300_000;

/** A Service for the Pods of the Deployment `app`. */
export function service(name: string, app = name): NewObject<Service> {
  return {
    metadata: { name, namespace: NAMESPACE },
    spec: { selector: { app }, ports: [{ port: 80, targetPort: 8080 }] },
  };
}

/** The node that the harness binds all Pods to. */
export async function createPodNode(client: Client): Promise<void> {
  const name = 'test-node';
  const { items } = await client.resource(resources.nodes).list();
  if (!items.some(({ metadata }) => metadata.name === name))
    await client.resource(resources.nodes).create({ metadata: { name } });
}

/** Deletes so many Pods of each Deployment, `count` in all, as an unquiet night does. */
export async function deletePods(client: Client, count: number): Promise<void> {
  const pods = client.resource(resources.pods);
  const { items } = await pods.list({ namespace: NAMESPACE });
  const byApp = Map.groupBy(items, ({ metadata }) => metadata.labels?.['app'] ?? '');
  const each = Math.ceil(count / byApp.size);
  const going = [...byApp.values()].flatMap((members) => members.slice(0, each)).slice(0, count);
  await times(going.length, (i) => pods.delete(going[i]!.metadata));
}

/** Deletes all slices at once. */
export async function deleteSlices(client: Client): Promise<void> {
  const slices = client.resource(resources.endpointSlices);
  const { items } = await slices.list({ namespace: NAMESPACE });
  await times(items.length, (i) => slices.delete(items[i]!.metadata));
}

/** Every Service has just the Pods that it selects in its slices, all of them ready. */
export function endpointsSettled(client: Client): Promise<void> {
  return eventually(async () => {
    const [services, pods, slices] = await Promise.all([
      client.resource(resources.services).list({ namespace: NAMESPACE }),
      client.resource(resources.pods).list({ namespace: NAMESPACE }),
      client.resource(resources.endpointSlices).list({ namespace: NAMESPACE }),
    ]);
    const wanted = Map.groupBy(pods.items, ({ metadata }) => metadata.labels?.['app'] ?? '');
    const shown = Map.groupBy(slices.items, ({ metadata }) => metadata.labels?.[SERVICE_NAME] ?? '');
    const open = services.items.filter(({ metadata, spec }) => {
      const app = spec?.selector?.['app'];
      return app !== undefined && !isServed(wanted.get(app) ?? [], shown.get(metadata.name) ?? []);
    });
    if (open.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
    throw new Error(`${open.length} Services are not served, ${keyOf(open[0]!)} for one`);
  }, PATIENCE);
}

function isServed(pods: readonly Pod[], slices: readonly EndpointSlice[]): boolean {
  const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
  const uids = new Set(endpoints.map(({ targetRef }) => targetRef?.uid));
  const ready = endpoints.every(({ conditions }) => conditions?.ready === true);
  return (
    slices.length > 0 &&
    ready &&
    endpoints.length === pods.length &&
    pods.every(({ metadata }) => uids.has(metadata.uid))
  );
}
