import type { Scenario } from '../scenarios.ts';
import {
  type Body,
  claim,
  cronJob,
  deployment,
  job,
  pathOf,
  pod,
  podSpec,
  service,
  template,
  workload,
} from './bodies.ts';

/** Objects to create: what decoding, defaults and the strategy make of them. Cluster-scoped ones have no namespace. */
export interface Creation {
  readonly name: string;
  readonly resource: string;
  readonly body: Body;
  readonly clusterScoped?: boolean;
}

const one = (apiVersion: string, kind: string, name: string, rest: Body = {}): Body => ({
  apiVersion,
  kind,
  metadata: { name },
  ...rest,
});

const RICH_POD = {
  hostNetwork: true,
  serviceAccountName: 'sa',
  initContainers: [{ name: 'i', image: 'busybox', resources: { limits: { cpu: '0.5' } } }],
  containers: [
    {
      name: 'c',
      image: 'registry.local:5000/a/b@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
      ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP', name: 'dns' }],
      env: [
        { name: 'A', value: '' },
        { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      ],
      resources: { limits: { cpu: '0.1', memory: '1.5Gi' } },
      livenessProbe: { httpGet: { port: 80 } },
      readinessProbe: { tcpSocket: { port: 'dns' }, periodSeconds: 5 },
      startupProbe: { grpc: { port: 80 } },
      volumeMounts: [{ name: 'e', mountPath: '/e' }],
    },
  ],
  volumes: [
    { name: 'e' },
    { name: 's', secret: { secretName: 's' } },
    { name: 'm', configMap: { name: 'm', items: [{ key: 'a', path: 'b' }] } },
    { name: 'h', hostPath: { path: '/h' } },
    { name: 'd', downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    { name: 'p', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
  ],
  tolerations: [{ operator: 'Exists' }],
};

export const creations: readonly Creation[] = [
  { name: 'Deployment', resource: 'deployments', body: deployment('d') },
  {
    name: 'Deployment Recreate',
    resource: 'deployments',
    body: deployment('d', { strategy: { type: 'Recreate' }, replicas: 0 }),
  },
  { name: 'ReplicaSet', resource: 'replicasets', body: workload('ReplicaSet', 'rs') },
  { name: 'DaemonSet', resource: 'daemonsets', body: workload('DaemonSet', 'ds') },
  {
    name: 'StatefulSet',
    resource: 'statefulsets',
    body: workload('StatefulSet', 'sts', {
      serviceName: 's',
      volumeClaimTemplates: [{ metadata: { name: 'v' }, spec: claim('v')['spec'] }],
    }),
  },
  {
    name: 'ControllerRevision',
    resource: 'controllerrevisions',
    body: one('apps/v1', 'ControllerRevision', 'r', { revision: 1, data: { a: null } }),
  },
  { name: 'Pod', resource: 'pods', body: pod('p') },
  { name: 'Pod rich', resource: 'pods', body: pod('p', RICH_POD) },
  {
    name: 'Pod guaranteed',
    resource: 'pods',
    body: pod('p', { containers: [{ name: 'c', image: 'a:latest', resources: { limits: { cpu: 1, memory: 1e9 } } }] }),
  },
  { name: 'Pod gated', resource: 'pods', body: pod('p', { ...podSpec, schedulingGates: [{ name: 'a.b/c' }] }) },
  { name: 'PodTemplate', resource: 'podtemplates', body: one('v1', 'PodTemplate', 'pt', { template: template() }) },
  {
    name: 'ReplicationController',
    resource: 'replicationcontrollers',
    body: one('v1', 'ReplicationController', 'rc', { spec: { template: template() } }),
  },
  {
    name: 'Job',
    resource: 'jobs',
    body: job('j', { manualSelector: true, selector: { matchLabels: { app: 'web' } } }),
  },
  { name: 'CronJob', resource: 'cronjobs', body: cronJob('cj') },
  {
    name: 'ConfigMap',
    resource: 'configmaps',
    body: one('v1', 'ConfigMap', 'c', { data: { a: 'b', e: '' }, binaryData: { x: 'AA==' } }),
  },
  { name: 'ConfigMap empty', resource: 'configmaps', body: one('v1', 'ConfigMap', 'c') },
  {
    name: 'Secret',
    resource: 'secrets',
    body: one('v1', 'Secret', 's', { stringData: { a: 'b' }, data: { c: 'ZA==' } }),
  },
  { name: 'Service', resource: 'services', body: service('s') },
  {
    name: 'Service headless',
    resource: 'services',
    body: service('s', { clusterIP: 'None', ports: [{ port: 80, name: 'x', targetPort: 'http' }] }),
  },
  {
    name: 'Service sticky',
    resource: 'services',
    body: service('s', { clusterIP: 'None', sessionAffinity: 'ClientIP', ports: [{ port: 80 }] }),
  },
  { name: 'Service external', resource: 'services', body: service('s', { type: 'ExternalName', externalName: 'a.b' }) },
  {
    name: 'Service of two families',
    resource: 'services',
    body: service('s', {
      clusterIP: 'None',
      ipFamilyPolicy: 'PreferDualStack',
      ports: [{ port: 80 }],
      selector: { app: 'web' },
    }),
  },
  {
    name: 'Service of IPv6 first',
    resource: 'services',
    body: service('s', {
      clusterIP: 'None',
      ipFamilies: ['IPv6'],
      ipFamilyPolicy: 'RequireDualStack',
      ports: [{ port: 80 }],
      selector: { app: 'web' },
    }),
  },
  {
    name: 'Service of IPv6',
    resource: 'services',
    body: service('s', { clusterIP: 'None', ipFamilies: ['IPv6'], ports: [{ port: 80 }], selector: { app: 'web' } }),
  },
  {
    name: 'Service of one family without selector',
    resource: 'services',
    body: service('s', { clusterIP: 'None', ipFamilyPolicy: 'SingleStack', ports: [{ port: 80 }] }),
  },
  { name: 'ServiceAccount', resource: 'serviceaccounts', body: one('v1', 'ServiceAccount', 'sa') },
  { name: 'PersistentVolumeClaim', resource: 'persistentvolumeclaims', body: claim('pvc') },
  {
    name: 'PersistentVolumeClaim from',
    resource: 'persistentvolumeclaims',
    body: claim('pvc', { storageClassName: '', dataSource: { kind: 'PersistentVolumeClaim', name: 'x' } }),
  },
  {
    name: 'PersistentVolume',
    resource: 'persistentvolumes',
    clusterScoped: true,
    body: one('v1', 'PersistentVolume', 'pv', {
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
    }),
  },
  { name: 'Namespace', resource: 'namespaces', clusterScoped: true, body: one('v1', 'Namespace', 'golden-ns') },
  {
    name: 'Node',
    resource: 'nodes',
    clusterScoped: true,
    body: one('v1', 'Node', 'golden-node', { spec: { podCIDR: '10.1.0.0/24' }, status: { capacity: { cpu: '4' } } }),
  },
  {
    name: 'Endpoints',
    resource: 'endpoints',
    body: one('v1', 'Endpoints', 'e', { subsets: [{ addresses: [{ ip: '1.2.3.4' }], ports: [{ port: 80 }] }] }),
  },
  {
    name: 'Endpoints of IPv6',
    resource: 'endpoints',
    body: one('v1', 'Endpoints', 'e', {
      subsets: [{ addresses: [{ ip: 'FD00:0::1' }], notReadyAddresses: [{ ip: 'fd00:0:0:1:0:0:0:1' }] }],
    }),
  },
  {
    name: 'EndpointSlice',
    resource: 'endpointslices',
    body: one('discovery.k8s.io/v1', 'EndpointSlice', 'e', {
      addressType: 'IPv4',
      endpoints: [{ addresses: ['1.2.3.4'] }],
      ports: [{ port: 80 }],
    }),
  },
  {
    name: 'EndpointSlice empty',
    resource: 'endpointslices',
    body: one('discovery.k8s.io/v1', 'EndpointSlice', 'e', { addressType: 'IPv4' }),
  },
  {
    name: 'LimitRange',
    resource: 'limitranges',
    body: one('v1', 'LimitRange', 'l', {
      spec: { limits: [{ type: 'Container', max: { cpu: '1' }, min: { memory: '1Mi' } }] },
    }),
  },
  {
    name: 'ResourceQuota',
    resource: 'resourcequotas',
    body: one('v1', 'ResourceQuota', 'q', { spec: { hard: { pods: '4', cpu: '1.5' } } }),
  },
  {
    name: 'PodDisruptionBudget',
    resource: 'poddisruptionbudgets',
    body: one('policy/v1', 'PodDisruptionBudget', 'p', {
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
    }),
  },
  {
    name: 'Role',
    resource: 'roles',
    body: one('rbac.authorization.k8s.io/v1', 'Role', 'r', {
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
    }),
  },
  { name: 'Role empty', resource: 'roles', body: one('rbac.authorization.k8s.io/v1', 'Role', 'r') },
  {
    name: 'RoleBinding',
    resource: 'rolebindings',
    body: one('rbac.authorization.k8s.io/v1', 'RoleBinding', 'r', {
      roleRef: { kind: 'ClusterRole', name: 'view' },
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'ServiceAccount', name: 'x', namespace: 'default' },
      ],
    }),
  },
  {
    name: 'ClusterRole',
    resource: 'clusterroles',
    clusterScoped: true,
    body: one('rbac.authorization.k8s.io/v1', 'ClusterRole', 'golden', {
      rules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }],
    }),
  },
  {
    name: 'ClusterRoleBinding',
    resource: 'clusterrolebindings',
    clusterScoped: true,
    body: one('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'golden', {
      roleRef: { kind: 'ClusterRole', name: 'view' },
    }),
  },
  {
    name: 'StorageClass',
    resource: 'storageclasses',
    clusterScoped: true,
    body: one('storage.k8s.io/v1', 'StorageClass', 'golden', { provisioner: 'a.b/c' }),
  },
  {
    name: 'CSIDriver',
    resource: 'csidrivers',
    clusterScoped: true,
    body: one('storage.k8s.io/v1', 'CSIDriver', 'golden', { spec: {} }),
  },
  {
    name: 'PriorityClass',
    resource: 'priorityclasses',
    clusterScoped: true,
    body: one('scheduling.k8s.io/v1', 'PriorityClass', 'golden', { value: 5 }),
  },
  {
    name: 'IngressClass',
    resource: 'ingressclasses',
    clusterScoped: true,
    body: one('networking.k8s.io/v1', 'IngressClass', 'golden', { spec: { controller: 'a.b/c' } }),
  },
  {
    name: 'Ingress',
    resource: 'ingresses',
    body: one('networking.k8s.io/v1', 'Ingress', 'i', {
      spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
    }),
  },
  {
    name: 'NetworkPolicy',
    resource: 'networkpolicies',
    body: one('networking.k8s.io/v1', 'NetworkPolicy', 'n', {
      spec: { podSelector: {}, egress: [{ ports: [{ port: 80 }] }] },
    }),
  },
  {
    name: 'Lease',
    resource: 'leases',
    body: one('coordination.k8s.io/v1', 'Lease', 'l', {
      spec: { holderIdentity: 'x', renewTime: '2026-01-02T03:04:05.000006Z' },
    }),
  },
  {
    name: 'HorizontalPodAutoscaler',
    resource: 'horizontalpodautoscalers',
    body: one('autoscaling/v2', 'HorizontalPodAutoscaler', 'h', {
      spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' }, behavior: {} },
    }),
  },
  {
    name: 'Event',
    resource: 'events',
    body: one('v1', 'Event', 'e', {
      involvedObject: { kind: 'Pod', name: 'p' },
      reason: 'R',
      message: 'm',
      type: 'Normal',
      source: { component: 'c' },
      count: 1,
      firstTimestamp: '2026-01-02T03:04:05Z',
      lastTimestamp: '2026-01-02T03:04:05Z',
    }),
  },
  {
    name: 'ValidatingWebhookConfiguration',
    resource: 'validatingwebhookconfigurations',
    clusterScoped: true,
    body: one('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', 'golden', {
      webhooks: [
        {
          name: 'a.b.c',
          clientConfig: { service: { name: 's', namespace: 'golden-none' } },
          rules: [{ apiGroups: ['golden'], apiVersions: ['v1'], resources: ['x'], operations: ['CREATE'] }],
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    }),
  },
];

/** Events refer to their own namespace. */
function placed(body: Body, namespace: string): Body {
  if (body['kind'] !== 'Event') return body;
  return { ...body, involvedObject: { ...(body['involvedObject'] as Body), namespace } };
}

export const creates: readonly Scenario[] = creations.map(({ name, resource, body, clusterScoped }) => ({
  name: `create ${name}`,
  steps: (namespace) => [
    {
      verb: 'POST',
      path: pathOf(String(body['apiVersion']), resource, clusterScoped ? undefined : namespace),
      body: placed(body, namespace),
    },
  ],
}));
