import type { Scenario, Step } from '../scenarios.ts';
import { type Body, claim, cronJob, deployment, job, pathOf, pod, podSpec, service, workload } from './bodies.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

interface Printed {
  readonly name: string;
  readonly apiVersion: string;
  readonly resource: string;
  readonly body: Body;
  readonly status?: Body;
  readonly clusterScoped?: boolean;
}

const running = (name: string, rest: Body = {}): Body => ({
  name,
  image: 'x',
  imageID: '',
  ready: true,
  restartCount: 0,
  state: { running: {} },
  ...rest,
});
const waiting = (reason: string): Body => ({ ready: false, state: { waiting: { reason } } });
const ended = (terminated: Body): Body => ({ ready: false, state: { terminated: { exitCode: 0, ...terminated } } });
const READY = { type: 'Ready', status: 'True' };
const initialized = { type: 'Initialized', status: 'True' };
const two = { containers: [...podSpec.containers, { name: 'd', image: 'y' }] };
const withInit = {
  ...podSpec,
  initContainers: [
    { name: 'i', image: 'x' },
    { name: 's', image: 'x', restartPolicy: 'Always' },
  ],
};

function pods(): Printed[] {
  const cases: Record<string, { spec?: Body; status: Body }> = {
    pending: { status: { phase: 'Pending' } },
    running: {
      status: {
        phase: 'Running',
        conditions: [READY],
        podIPs: [{ ip: '10.0.0.1' }],
        podIP: '10.0.0.1',
        containerStatuses: [running('c', { restartCount: 3 })],
      },
    },
    crash: {
      status: {
        phase: 'Running',
        containerStatuses: [running('c', { ...waiting('CrashLoopBackOff'), restartCount: 2 })],
      },
    },
    half: {
      spec: two,
      status: { phase: 'Running', containerStatuses: [running('c', ended({ reason: 'Completed' })), running('d')] },
    },
    halfready: {
      spec: two,
      status: {
        phase: 'Running',
        conditions: [READY],
        containerStatuses: [running('c', ended({ reason: 'Completed' })), running('d')],
      },
    },
    error: {
      spec: two,
      status: {
        phase: 'Failed',
        containerStatuses: [
          running('c', ended({ reason: 'Completed' })),
          running('d', ended({ exitCode: 2, reason: 'Error' })),
        ],
      },
    },
    exit: { status: { phase: 'Failed', containerStatuses: [running('c', ended({ exitCode: 3 }))] } },
    signal: { status: { phase: 'Failed', containerStatuses: [running('c', ended({ signal: 9, exitCode: 137 }))] } },
    done: { status: { phase: 'Succeeded', containerStatuses: [running('c', ended({ reason: 'Completed' }))] } },
    evicted: { status: { phase: 'Failed', reason: 'Evicted' } },
    init: {
      spec: withInit,
      status: {
        phase: 'Pending',
        initContainerStatuses: [running('i', { ready: false }), running('s', waiting('PodInitializing'))],
      },
    },
    initerror: {
      spec: withInit,
      status: { phase: 'Pending', initContainerStatuses: [running('i', ended({ exitCode: 1 }))] },
    },
    initwait: {
      spec: withInit,
      status: { phase: 'Pending', initContainerStatuses: [running('i', waiting('ImagePullBackOff'))] },
    },
    sidecar: {
      spec: withInit,
      status: {
        phase: 'Running',
        conditions: [initialized],
        initContainerStatuses: [running('i', ended({})), running('s', { started: true, restartCount: 4 })],
        containerStatuses: [running('c')],
      },
    },
    gates: {
      spec: { ...podSpec, readinessGates: [{ conditionType: 'a.b/c' }, { conditionType: 'd' }] },
      status: { phase: 'Pending', conditions: [{ type: 'd', status: 'True' }] },
    },
  };
  return Object.entries(cases).map(([name, { spec, status }]) => ({
    name: `pod ${name}`,
    apiVersion: 'v1',
    resource: 'pods',
    body: pod(name, spec ?? podSpec),
    status,
  }));
}

const one = (apiVersion: string, kind: string, name: string, rest: Body = {}): Body => ({
  apiVersion,
  kind,
  metadata: { name },
  ...rest,
});

const printed: readonly Printed[] = [
  ...pods(),
  {
    name: 'deployment',
    apiVersion: 'apps/v1',
    resource: 'deployments',
    body: deployment('d'),
    status: { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
  },
  {
    name: 'replicaset',
    apiVersion: 'apps/v1',
    resource: 'replicasets',
    body: workload('ReplicaSet', 'r'),
    status: { replicas: 1, readyReplicas: 1 },
  },
  {
    name: 'statefulset',
    apiVersion: 'apps/v1',
    resource: 'statefulsets',
    body: workload('StatefulSet', 's'),
    status: { replicas: 1 },
  },
  {
    name: 'daemonset',
    apiVersion: 'apps/v1',
    resource: 'daemonsets',
    body: workload('DaemonSet', 'd'),
    status: { currentNumberScheduled: 1, desiredNumberScheduled: 2, numberMisscheduled: 0, numberReady: 1 },
  },
  {
    name: 'job',
    apiVersion: 'batch/v1',
    resource: 'jobs',
    body: job('j', { manualSelector: true, selector: { matchLabels: { app: 'web' } } }),
  },
  {
    name: 'job open',
    apiVersion: 'batch/v1',
    resource: 'jobs',
    body: job('k', { parallelism: 3, suspend: true, manualSelector: true, selector: { matchLabels: { app: 'web' } } }),
    status: { conditions: [{ type: 'Suspended', status: 'True' }] },
  },
  { name: 'cronjob', apiVersion: 'batch/v1', resource: 'cronjobs', body: cronJob('c', { timeZone: 'Europe/Berlin' }) },
  {
    name: 'service headless',
    apiVersion: 'v1',
    resource: 'services',
    body: service('s', {
      clusterIP: 'None',
      ports: [
        { port: 80, name: 'a' },
        { port: 53, protocol: 'UDP', name: 'b' },
      ],
    }),
  },
  {
    name: 'service external',
    apiVersion: 'v1',
    resource: 'services',
    body: service('e', { type: 'ExternalName', externalName: 'a.b' }),
  },
  {
    name: 'configmap',
    apiVersion: 'v1',
    resource: 'configmaps',
    body: one('v1', 'ConfigMap', 'c', { data: { a: 'b' }, binaryData: { c: 'AA==' } }),
  },
  { name: 'secret', apiVersion: 'v1', resource: 'secrets', body: one('v1', 'Secret', 's', { data: { c: 'ZA==' } }) },
  {
    name: 'claim',
    apiVersion: 'v1',
    resource: 'persistentvolumeclaims',
    body: claim('c', { storageClassName: 'x', volumeName: 'v' }),
    status: { phase: 'Bound', accessModes: ['ReadWriteOnce', 'ReadOnlyMany'], capacity: { storage: '2Gi' } },
  },
  {
    name: 'role',
    apiVersion: 'rbac.authorization.k8s.io/v1',
    resource: 'roles',
    body: one('rbac.authorization.k8s.io/v1', 'Role', 'r'),
  },
  {
    name: 'rolebinding',
    apiVersion: 'rbac.authorization.k8s.io/v1',
    resource: 'rolebindings',
    body: one('rbac.authorization.k8s.io/v1', 'RoleBinding', 'r', {
      roleRef: { kind: 'ClusterRole', name: 'view' },
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'Group', name: 'g' },
        { kind: 'Group', name: 'h' },
        { kind: 'ServiceAccount', name: 'x', namespace: 'default' },
      ],
    }),
  },
  {
    name: 'budget',
    apiVersion: 'policy/v1',
    resource: 'poddisruptionbudgets',
    body: one('policy/v1', 'PodDisruptionBudget', 'p', {
      spec: { maxUnavailable: '20%', selector: { matchExpressions: [{ key: 'a', operator: 'Exists' }] } },
    }),
  },
  {
    name: 'lease',
    apiVersion: 'coordination.k8s.io/v1',
    resource: 'leases',
    body: one('coordination.k8s.io/v1', 'Lease', 'l', { spec: { holderIdentity: 'x' } }),
  },
  {
    name: 'ingress',
    apiVersion: 'networking.k8s.io/v1',
    resource: 'ingresses',
    body: one('networking.k8s.io/v1', 'Ingress', 'i', {
      spec: {
        ingressClassName: 'c',
        tls: [{ hosts: ['a.b'] }],
        defaultBackend: { service: { name: 's', port: { number: 80 } } },
        rules: ['a.b', 'c.d', 'e.f', 'g.h'].map((host) => ({ host })),
      },
    }),
    status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }, { hostname: 'x.y' }] } },
  },
  {
    name: 'policy',
    apiVersion: 'networking.k8s.io/v1',
    resource: 'networkpolicies',
    body: one('networking.k8s.io/v1', 'NetworkPolicy', 'n', {
      spec: {
        podSelector: {
          matchLabels: { b: 'c', a: 'b' },
          matchExpressions: [{ key: 'k', operator: 'NotIn', values: ['z', 'y'] }],
        },
      },
    }),
  },
  {
    name: 'autoscaler',
    apiVersion: 'autoscaling/v2',
    resource: 'horizontalpodautoscalers',
    body: one('autoscaling/v2', 'HorizontalPodAutoscaler', 'h', {
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' },
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } },
          { type: 'Pods', pods: { metric: { name: 'm' }, target: { type: 'AverageValue', averageValue: '10' } } },
          { type: 'External', external: { metric: { name: 'm' }, target: { type: 'Value', value: '5' } } },
        ],
      },
    }),
  },
  {
    name: 'slice',
    apiVersion: 'discovery.k8s.io/v1',
    resource: 'endpointslices',
    body: one('discovery.k8s.io/v1', 'EndpointSlice', 'e', {
      addressType: 'IPv4',
      endpoints: [
        { addresses: ['1.2.3.4'] },
        { addresses: ['1.2.3.5'] },
        { addresses: ['1.2.3.6'] },
        { addresses: ['1.2.3.7'] },
      ],
      ports: [{ port: 80 }],
    }),
  },
  {
    name: 'event',
    apiVersion: 'v1',
    resource: 'events',
    body: one('v1', 'Event', 'e', {
      involvedObject: { kind: 'Pod', name: 'p', fieldPath: 'spec.containers{c}', namespace: 'g-table-event' },
      reason: 'R',
      message: ' m ',
      type: 'Normal',
      source: { component: 'c', host: 'h' },
    }),
  },
  {
    name: 'quota',
    apiVersion: 'v1',
    resource: 'resourcequotas',
    body: one('v1', 'ResourceQuota', 'q', { spec: { hard: { pods: '4', 'limits.cpu': '1' } } }),
    status: { hard: { pods: '4', 'limits.cpu': '1', cpu: '2' }, used: { pods: '1', 'limits.cpu': '500m' } },
  },
  {
    name: 'node',
    apiVersion: 'v1',
    resource: 'nodes',
    clusterScoped: true,
    body: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: 'golden-table',
        labels: { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/control-plane': '' },
      },
      spec: { unschedulable: true },
    },
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      addresses: [{ type: 'InternalIP', address: '10.0.0.2' }],
      nodeInfo: {
        kubeletVersion: 'v1.36.2',
        osImage: 'x',
        kernelVersion: 'y',
        containerRuntimeVersion: 'z',
        architecture: 'amd64',
        machineID: '',
        systemUUID: '',
        bootID: '',
        kubeProxyVersion: '',
        operatingSystem: '',
      },
    },
  },
  {
    name: 'storageclass',
    apiVersion: 'storage.k8s.io/v1',
    resource: 'storageclasses',
    clusterScoped: true,
    body: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'golden-table', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'x',
    },
  },
  {
    name: 'priorityclass',
    apiVersion: 'scheduling.k8s.io/v1',
    resource: 'priorityclasses',
    clusterScoped: true,
    body: { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'golden-table' }, value: 7 },
  },
];

function stepsOf({ apiVersion, resource, body, status, clusterScoped }: Printed, namespace: string): Step[] {
  const path = pathOf(apiVersion, resource, clusterScoped ? undefined : namespace);
  const { name } = body['metadata'] as { name: string };
  const steps: Step[] = [{ verb: 'POST', path, body }];
  if (status !== undefined) {
    steps.push({
      verb: 'PATCH',
      path: `${path}/${name}/status`,
      body: { status },
      type: 'application/merge-patch+json',
    });
  }
  steps.push({ verb: 'GET', path: `${path}/${name}?includeObject=Object`, accept: TABLE });
  return steps;
}

export const tables: readonly Scenario[] = printed.map((entry) => ({
  name: `table ${entry.name}`,
  steps: (namespace) => stepsOf(entry, namespace),
}));
