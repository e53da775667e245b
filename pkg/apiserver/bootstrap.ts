import { formatTime } from '#pkg/base';
import { bootstrapPolicy } from './auth/bootstrap-policy.ts';
import type { Core } from './handler/call.ts';
import { newUid } from './handler/uid.ts';
import { withType } from './handler/view.ts';
import { applyDefaults } from './defaults/index.ts';
import type { JsonObject } from './json.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

export interface BootstrapOptions {
  /** PEM: whose client certificates are trusted; published for delegated authentication. */
  readonly clientCa?: string;
}

/** Stores what a cluster has before anyone has asked for anything. */
export function bootstrap(
  core: Pick<Core, 'store' | 'registry' | 'clock' | 'random'>,
  options: BootstrapOptions,
): void {
  const put = (group: string, resource: string, object: JsonObject): void => {
    const type = core.registry.require(group, 'v1', resource);
    const metadata = object['metadata'] as JsonObject;
    metadata['uid'] = newUid(core.random);
    metadata['creationTimestamp'] = formatTime(core.clock.now());
    applyDefaults(group, 'v1', type.kind, object);
    const key = type.namespaced
      ? `${String(metadata['namespace'])}/${String(metadata['name'])}`
      : String(metadata['name']);
    if (core.store.get(type.storage, key) === undefined)
      core.store.create(type.storage, key, withType(object, type.kind, type.apiVersion));
  };
  for (const name of NAMESPACES) {
    const labels = { 'kubernetes.io/metadata.name': name };
    put('', 'namespaces', {
      metadata: { name, labels },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
    put('', 'serviceaccounts', { metadata: { name: 'default', namespace: name } });
  }
  if (options.clientCa !== undefined) {
    const metadata = { name: 'extension-apiserver-authentication', namespace: 'kube-system' };
    put('', 'configmaps', { metadata, data: { 'client-ca-file': options.clientCa } });
  }
  for (const object of bootstrapPolicy())
    put('rbac.authorization.k8s.io', `${String(object['kind']).toLowerCase()}s`, object);
  for (const [name, value, description] of PRIORITIES) {
    put('scheduling.k8s.io', 'priorityclasses', {
      metadata: { name, generation: 1 },
      value,
      description,
      preemptionPolicy: 'PreemptLowerPriority',
    });
  }
  put('', 'services', kubernetesService());
}

const PRIORITIES: readonly (readonly [string, number, string])[] = [
  [
    'system-node-critical',
    2_000_001_000,
    'Used for system critical pods that must not be moved from their current node.',
  ],
  [
    'system-cluster-critical',
    2_000_000_000,
    'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  ],
];

function kubernetesService(): JsonObject {
  return {
    metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      clusterIP: '10.96.0.1',
      clusterIPs: ['10.96.0.1'],
      internalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
      sessionAffinity: 'None',
      type: 'ClusterIP',
    },
    status: { loadBalancer: {} },
  };
}
