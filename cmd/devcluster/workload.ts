import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { loadAll } from 'js-yaml';
import type { ApiServer, InProcessTransport } from '#pkg/apiserver';
import { DevclusterError } from './errors.ts';

/** An object to be applied, as far as its path asks. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const DEPLOYMENTS = 'deployments.apps';

/** Applies objects, as `kubectl apply --server-side` does; returns their names. */
export async function apply(server: ApiServer, manifests: readonly Manifest[]): Promise<string[]> {
  const transport = server.inProcessTransport();
  const applied: string[] = [];
  for (const manifest of manifests) {
    const resource = server.registry
      .all()
      .find(({ kind, apiVersion }) => kind === manifest.kind && apiVersion === manifest.apiVersion);
    if (resource === undefined)
      throw new DevclusterError('Refused', `there is no kind ${manifest.kind} in ${manifest.apiVersion}`);
    const root = resource.group === '' ? '/api' : '/apis';
    const scope = resource.namespaced ? `/namespaces/${manifest.metadata.namespace ?? 'default'}` : '';
    const path = `${root}/${resource.apiVersion}${scope}/${resource.resource}/${manifest.metadata.name}?fieldManager=devcluster&force=true`;
    await send(transport, path, 'application/apply-patch+yaml', manifest);
    applied.push(
      `${resource.group === '' ? resource.singular : `${resource.singular}.${resource.group}`}/${manifest.metadata.name}`,
    );
  }
  return applied;
}

/** Those of a file, or of all YAML files of a folder by their names. */
export function readManifests(path: string): Manifest[] {
  try {
    const files = statSync(path).isDirectory()
      ? globSync('*.yaml', { cwd: path })
          .toSorted()
          .map((name) => join(path, name))
      : [path];
    return files
      .flatMap((file) => loadAll(readFileSync(file, 'utf8')) as (Manifest | null)[])
      .filter((manifest) => manifest !== null);
  } catch (error) {
    throw new DevclusterError('BadOption', `--sample: cannot read ${path}`, undefined, { cause: error });
  }
}

/** Changes the image of a Deployment's first container. */
export async function setImage(server: ApiServer, name: string, container: string, image: string): Promise<void> {
  const path = `/apis/apps/v1/namespaces/default/deployments/${name}?fieldManager=devcluster`;
  const patch = { spec: { template: { spec: { containers: [{ name: container, image }] } } } };
  await send(server.inProcessTransport(), path, 'application/strategic-merge-patch+json', patch);
}

async function send(transport: InProcessTransport, path: string, contentType: string, body: unknown): Promise<void> {
  const response = await transport.roundTrip({
    method: 'PATCH',
    path,
    headers: { 'content-type': contentType },
    body: JSON.stringify(body),
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  if (response.status < 300) return;
  const { message } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { message?: string };
  throw new DevclusterError('Refused', message ?? `the API server answered ${response.status}`);
}

interface Deployment {
  readonly metadata: { readonly generation?: number; readonly name: string };
  readonly spec: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
  };
}

export function deploymentOf(server: ApiServer, name: string): Deployment | undefined {
  return server.store.get(DEPLOYMENTS, `default/${name}`)?.object as Deployment | undefined;
}

/** As `kubectl rollout status` judges: everything is of the newest kind, and available. */
export function isRolledOut(deployment: Deployment | undefined): boolean {
  if (deployment?.status === undefined) return false;
  const { metadata, spec, status } = deployment;
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  const wanted = spec.replicas ?? 1;
  return (
    observedGeneration >= (metadata.generation ?? 0) &&
    updatedReplicas >= wanted &&
    replicas <= updatedReplicas &&
    availableReplicas >= updatedReplicas
  );
}

/** One line of where a rollout stands. */
export function describeRollout({ metadata, spec, status = {} }: Deployment): string {
  const { updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0, replicas = 0 } = status;
  return `deployment ${metadata.name}: ${spec.replicas ?? 1} wanted, ${replicas} there, ${updatedReplicas} up to date, ${readyReplicas} ready, ${availableReplicas} available`;
}

/** Who holds the manager's lease. */
export function leader(server: ApiServer): string {
  const lease = server.store.get('leases.coordination.k8s.io', 'kube-system/kube-controller-manager')?.object;
  return (lease as { spec?: { holderIdentity?: string } } | undefined)?.spec?.holderIdentity ?? '';
}
