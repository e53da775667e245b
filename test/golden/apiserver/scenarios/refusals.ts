import type { Scenario, Step } from '../scenarios.ts';
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

/** A request that a server refuses: a create, or an update of what a create made. */
export interface Refusal {
  readonly name: string;
  readonly resource: string;
  readonly body: Body;
  /** Merged into the created object to make the bad one. */
  readonly change?: Body;
  readonly clusterScoped?: boolean;
}

const one = (apiVersion: string, kind: string, rest: Body = {}, metadata: Body = {}): Body => ({
  apiVersion,
  kind,
  metadata: { name: 'x', ...metadata },
  ...rest,
});
const configMap = (metadata: Body, rest: Body = {}): Body => one('v1', 'ConfigMap', rest, metadata);
const container = (rest: Body): Body => ({ name: 'c', image: 'x', ...rest });
const podWith = (rest: Body, spec: Body = {}): Body => pod('x', { containers: [container(rest)], ...spec });
const inPod = (spec: Body): Body => pod('x', { ...podSpec, ...spec });
const rbac = 'rbac.authorization.k8s.io/v1';
const LONG = 'a'.repeat(64);

type Table = Record<string, Body>;

function group(resource: string, cases: Table, clusterScoped = false): Refusal[] {
  return Object.entries(cases).map(([name, body]) => ({ name: `${resource} ${name}`, resource, body, clusterScoped }));
}

function changes(resource: string, body: Body, cases: Table): Refusal[] {
  return Object.entries(cases).map(([name, change]) => ({
    name: `${resource} change ${name}`,
    resource,
    body,
    change,
  }));
}

const metadata = group('configmaps', {
  'upper-case name': configMap({ name: 'A_b' }),
  'no name': configMap({ name: '' }),
  'long name': configMap({ name: 'a'.repeat(254) }),
  'bad label key': configMap({ labels: { 'a b': 'c' } }),
  'bad label prefix': configMap({ labels: { 'A_/b': 'c' } }),
  'bad label value': configMap({ labels: { a: 'b c' } }),
  'long label value': configMap({ labels: { a: LONG } }),
  'bad annotation key': configMap({ annotations: { 'a b': 'c' } }),
  'bad finalizer': configMap({ finalizers: ['a b'] }),
  'unqualified finalizer': configMap({ finalizers: ['x'] }),
  'owner without uid': configMap({ ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: '' }] }),
  'owner without all': configMap({ ownerReferences: [{ apiVersion: '', kind: '', name: '', uid: '' }] }),
  'two controllers': configMap({
    ownerReferences: ['1', '2'].map((uid) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      name: `p${uid}`,
      uid,
      controller: true,
    })),
  }),
  'bad key': configMap({}, { data: { 'a b': 'c' } }),
  'key twice': configMap({}, { data: { a: 'c' }, binaryData: { a: 'AA==' } }),
  'bad generateName': configMap({ name: undefined, generateName: 'A_' }),
});

const deployments = group('deployments', {
  'no spec': one('apps/v1', 'Deployment'),
  'negative numbers': deployment('x', {
    replicas: -1,
    minReadySeconds: -1,
    revisionHistoryLimit: -1,
    progressDeadlineSeconds: -1,
  }),
  'empty selector': deployment('x', { selector: {} }),
  'selector mismatch': deployment('x', { selector: { matchLabels: { app: 'other' } } }),
  'selector operator': deployment('x', { selector: { matchExpressions: [{ key: 'a', operator: 'Foo' }] } }),
  'selector values': deployment('x', {
    selector: {
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'a', operator: 'In' },
        { key: 'b', operator: 'Exists', values: ['x'] },
      ],
    },
  }),
  'strategy type': deployment('x', { strategy: { type: 'Foo' } }),
  'recreate with rolling': deployment('x', { strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } }),
  'both zero': deployment('x', { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
  'bad surge': deployment('x', { strategy: { rollingUpdate: { maxSurge: 'abc', maxUnavailable: '150%' } } }),
  'negative surge': deployment('x', { strategy: { rollingUpdate: { maxSurge: -1, maxUnavailable: -2 } } }),
  'deadline before ready': deployment('x', { minReadySeconds: 10, progressDeadlineSeconds: 10 }),
  'restart policy': deployment('x', { template: template({ ...podSpec, restartPolicy: 'Never' }) }),
  'bad container': deployment('x', { template: template({ containers: [{ name: 'A', image: '' }] }) }),
  'bad template labels': deployment('x', { template: template(podSpec, { app: 'web', 'a b': 'c' }) }),
  'bad name': deployment('x_y'),
});

const containers = group('pods', {
  'no containers': pod('x', { containers: [] }),
  'no name': pod('x', { containers: [{ image: 'x' }] }),
  'names twice': pod('x', { containers: [container({}), container({})] }),
  'init name twice': pod('x', { containers: [container({})], initContainers: [container({})] }),
  'no image': podWith({ image: '' }),
  'image with space': podWith({ image: ' x' }),
  'pull policy': podWith({ imagePullPolicy: 'Sometimes' }),
  'termination message': podWith({ terminationMessagePolicy: 'Foo' }),
  'port zero': podWith({ ports: [{ containerPort: 0 }] }),
  'port high': podWith({ ports: [{ containerPort: 70000, hostPort: -1 }] }),
  'port protocol': podWith({ ports: [{ containerPort: 80, protocol: 'HTTP' }] }),
  'port name': podWith({ ports: [{ containerPort: 80, name: 'UPPER-and-much-too-long' }] }),
  'port name twice': podWith({
    ports: [
      { containerPort: 80, name: 'a' },
      { containerPort: 81, name: 'a' },
    ],
  }),
  'host port twice': podWith({
    ports: [
      { containerPort: 80, hostPort: 80 },
      { containerPort: 81, hostPort: 80 },
    ],
  }),
  'env without name': podWith({ env: [{ value: 'x' }] }),
  'env name': podWith({ env: [{ name: 'a=b', value: 'x' }] }),
  'env two values': podWith({
    env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
  }),
  'env no source': podWith({ env: [{ name: 'A', valueFrom: {} }] }),
  'env field': podWith({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.foo' } } }] }),
  'env key': podWith({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: '', key: '' } } }] }),
  'mount without volume': podWith({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
  'mount path': podWith({ volumeMounts: [{ name: 'v', mountPath: '' }] }, { volumes: [{ name: 'v' }] }),
  'mount path twice': podWith(
    {
      volumeMounts: [
        { name: 'v', mountPath: '/v' },
        { name: 'v', mountPath: '/v' },
      ],
    },
    { volumes: [{ name: 'v' }] },
  ),
  'request over limit': podWith({
    resources: { requests: { cpu: '2', memory: '1Gi' }, limits: { cpu: '1', memory: '500Mi' } },
  }),
  'negative request': podWith({ resources: { requests: { cpu: '-1' } } }),
  'unknown resource': podWith({ resources: { requests: { foo: '1' } } }),
  'extended resource': podWith({ resources: { requests: { 'a.b/c': '1.5' }, limits: { 'a.b/c': '2' } } }),
  'probe without handler': podWith({ livenessProbe: { periodSeconds: 5 } }),
  'probe with two': podWith({ livenessProbe: { httpGet: { port: 80 }, tcpSocket: { port: 80 } } }),
  'probe numbers': podWith({
    livenessProbe: {
      httpGet: { port: 80 },
      periodSeconds: -1,
      successThreshold: 2,
      timeoutSeconds: -1,
      failureThreshold: -1,
      initialDelaySeconds: -1,
    },
  }),
  'probe port': podWith({ readinessProbe: { httpGet: { port: 0 } } }),
  'probe scheme': podWith({ readinessProbe: { httpGet: { port: 80, scheme: 'ftp' } } }),
  'probe exec': podWith({ readinessProbe: { exec: {} } }),
  'lifecycle empty': podWith({ lifecycle: { preStop: {} } }),
  'run as user': podWith({ securityContext: { runAsUser: -1 } }),
  'privileged escalation': podWith({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
});

const podSpecs = group('pods', {
  'restart policy': inPod({ restartPolicy: 'Foo' }),
  'dns policy': inPod({ dnsPolicy: 'Foo' }),
  'dns none': inPod({ dnsPolicy: 'None' }),
  'grace negative': inPod({ terminationGracePeriodSeconds: -1 }),
  'deadline zero': inPod({ activeDeadlineSeconds: 0 }),
  'node selector': inPod({ nodeSelector: { 'a b': 'c', d: 'e f' } }),
  'toleration operator': inPod({ tolerations: [{ key: 'a', operator: 'Foo' }] }),
  'toleration effect': inPod({ tolerations: [{ key: 'a', effect: 'Foo' }] }),
  'toleration exists': inPod({ tolerations: [{ key: 'a', operator: 'Exists', value: 'b' }] }),
  'toleration empty key': inPod({ tolerations: [{ operator: 'Equal', value: 'b' }] }),
  'toleration seconds': inPod({
    tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 5 }],
  }),
  'volume without name': inPod({ volumes: [{ emptyDir: {} }] }),
  'volume name': inPod({ volumes: [{ name: 'A_b' }] }),
  'volume twice': inPod({ volumes: [{ name: 'a' }, { name: 'a' }] }),
  'volume with two': inPod({ volumes: [{ name: 'a', emptyDir: {}, hostPath: { path: '/x' } }] }),
  'volume secret': inPod({ volumes: [{ name: 'a', secret: {} }] }),
  'volume claim': inPod({ volumes: [{ name: 'a', persistentVolumeClaim: { claimName: '' } }] }),
  'volume host path': inPod({ volumes: [{ name: 'a', hostPath: { path: '' } }] }),
  'spread skew': inPod({ topologySpreadConstraints: [{ maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'Foo' }] }),
  'affinity weight': inPod({
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, podAffinityTerm: { topologyKey: '' } }],
      },
    },
  }),
  'node affinity': inPod({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } },
  }),
  'node affinity operator': inPod({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Foo' }] }],
        },
      },
    },
  }),
  'service account': inPod({ serviceAccountName: 'A_b' }),
  'node name': inPod({ nodeName: 'A_b' }),
  hostname: inPod({ hostname: 'A_b', subdomain: 'a.b' }),
  'host network port': podWith({ ports: [{ containerPort: 80, hostPort: 81 }] }, { hostNetwork: true }),
  'host alias': inPod({ hostAliases: [{ ip: 'x', hostnames: ['A_b'] }] }),
  'pull secret': inPod({ imagePullSecrets: [{ name: '' }] }),
  'scheduler name': inPod({ schedulerName: 'A_b' }),
  'run as group': inPod({ securityContext: { runAsGroup: -5, fsGroup: -1, supplementalGroups: [-1] } }),
  'gate with node': inPod({ schedulingGates: [{ name: 'a.b/c' }], nodeName: 'n' }),
  'ephemeral container': inPod({ ephemeralContainers: [{ name: 'e', image: 'x' }] }),
  'grouped errors': podWith({ image: '', name: 'A' }, { restartPolicy: 'Foo' }),
});

const jobs = group('jobs', {
  'no template': one('batch/v1', 'Job', { spec: {} }),
  'negative numbers': job('x', {
    parallelism: -1,
    completions: -1,
    backoffLimit: -1,
    activeDeadlineSeconds: -1,
    ttlSecondsAfterFinished: -1,
  }),
  'restart policy': job('x', { template: template({ ...podSpec, restartPolicy: 'Always' }) }),
  'completion mode': job('x', { completionMode: 'Foo' }),
  'indexed without completions': job('x', { completionMode: 'Indexed', parallelism: 1 }),
  'pod replacement': job('x', { podReplacementPolicy: 'Foo' }),
  'selector not manual': job('x', { selector: { matchLabels: { app: 'web' } } }),
  'long name': job('a'.repeat(70)),
});

const cronJobs = group('cronjobs', {
  'no schedule': cronJob('x', { schedule: '' }),
  'bad schedule': cronJob('x', { schedule: 'every day' }),
  'time zone': cronJob('x', { timeZone: 'Mars/Base' }),
  'time zone in schedule': cronJob('x', { schedule: 'TZ=UTC * * * * *' }),
  concurrency: cronJob('x', { concurrencyPolicy: 'Foo' }),
  'negative numbers': cronJob('x', {
    successfulJobsHistoryLimit: -1,
    failedJobsHistoryLimit: -1,
    startingDeadlineSeconds: -1,
  }),
  'long name': cronJob('a'.repeat(53)),
  'restart policy': cronJob('x', {
    jobTemplate: { spec: { template: template({ ...podSpec, restartPolicy: 'Always' }) } },
  }),
});

const services = group('services', {
  'no ports': service('x', {}),
  'port range': service('x', { ports: [{ port: 0 }] }),
  'ports without names': service('x', { ports: [{ port: 80 }, { port: 81 }] }),
  'ports twice': service('x', {
    ports: [
      { port: 80, name: 'a' },
      { port: 80, name: 'b' },
    ],
  }),
  'names twice': service('x', {
    ports: [
      { port: 80, name: 'a' },
      { port: 81, name: 'a' },
    ],
  }),
  'port name': service('x', { ports: [{ port: 80, name: 'A_b' }] }),
  protocol: service('x', { ports: [{ port: 80, protocol: 'HTTP' }] }),
  'target port': service('x', { ports: [{ port: 80, targetPort: 'UPPER' }] }),
  'target number': service('x', { ports: [{ port: 80, targetPort: 70000 }] }),
  type: service('x', { type: 'Foo', ports: [{ port: 80 }] }),
  'external name': service('x', { type: 'ExternalName' }),
  'cluster address': service('x', { clusterIP: 'abc', ports: [{ port: 80 }] }),
  affinity: service('x', { sessionAffinity: 'Foo', clusterIP: 'None', ports: [{ port: 80 }] }),
  'node port': service('x', { ports: [{ port: 80, nodePort: 30080 }] }),
  selector: service('x', { ports: [{ port: 80 }], selector: { 'a b': 'c' } }),
  name: service('1x'),
  'traffic policy': service('x', { ports: [{ port: 80 }], externalTrafficPolicy: 'Local' }),
  'traffic distribution': service('x', { ports: [{ port: 80 }], trafficDistribution: 'Nearest' }),
  'family twice': service('x', {
    ports: [{ port: 80 }],
    ipFamilies: ['IPv4', 'IPv4'],
    ipFamilyPolicy: 'PreferDualStack',
  }),
  'family unknown': service('x', { ports: [{ port: 80 }], ipFamilies: ['IPv5'] }),
  'family policy': service('x', { ports: [{ port: 80 }], ipFamilyPolicy: 'Both' }),
  'two families for one': service('x', {
    ports: [{ port: 80 }],
    ipFamilies: ['IPv4', 'IPv6'],
    ipFamilyPolicy: 'SingleStack',
  }),
  'two addresses for one': service('x', {
    ports: [{ port: 80 }],
    clusterIP: '10.0.0.7',
    clusterIPs: ['10.0.0.7', 'fd00:10:96::7'],
  }),
  'two addresses of a family': service('x', {
    ports: [{ port: 80 }],
    clusterIP: '10.0.0.7',
    clusterIPs: ['10.0.0.7', '10.0.0.8'],
    ipFamilyPolicy: 'RequireDualStack',
  }),
  'three addresses': service('x', {
    ports: [{ port: 80 }],
    clusterIP: '10.0.0.7',
    clusterIPs: ['10.0.0.7', 'fd00:10:96::7', '10.0.0.8'],
    ipFamilyPolicy: 'RequireDualStack',
  }),
  'another first address': service('x', { ports: [{ port: 80 }], clusterIP: '10.0.0.7', clusterIPs: ['10.0.0.8'] }),
  'list of addresses alone': service('x', { ports: [{ port: 80 }], clusterIPs: ['10.0.0.8'] }),
  'address of another family': service('x', { ports: [{ port: 80 }], clusterIP: '10.0.0.7', ipFamilies: ['IPv6'] }),
  'none and an address': service('x', { ports: [{ port: 80 }], clusterIP: 'None', clusterIPs: ['None', '10.0.0.7'] }),
  'headless node port': service('x', { ports: [{ port: 80 }], clusterIP: 'None', type: 'NodePort' }),
  'external with families': service('x', {
    type: 'ExternalName',
    externalName: 'a.b',
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    clusterIP: '10.0.0.7',
  }),
  'headless external': service('x', { type: 'ExternalName', externalName: 'a.b', clusterIP: 'None' }),
});

const slice = (rest: Body): Body => one('discovery.k8s.io/v1', 'EndpointSlice', { addressType: 'IPv4', ...rest });
const endpoint = (rest: Body): Body => slice({ endpoints: [{ addresses: ['10.1.0.1'], ...rest }] });

const others: Refusal[] = [
  ...group('replicasets', {
    'no spec': one('apps/v1', 'ReplicaSet'),
    'selector mismatch': workload('ReplicaSet', 'x', { selector: { matchLabels: { a: 'b' } } }),
    'negative numbers': workload('ReplicaSet', 'x', { replicas: -1, minReadySeconds: -1 }),
  }),
  ...group('statefulsets', {
    'no spec': one('apps/v1', 'StatefulSet'),
    'management policy': workload('StatefulSet', 'x', { podManagementPolicy: 'Foo' }),
    'update strategy': workload('StatefulSet', 'x', { updateStrategy: { type: 'Foo' } }),
    'update on delete': workload('StatefulSet', 'x', {
      updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 1 } },
    }),
    'negative numbers': workload('StatefulSet', 'x', {
      replicas: -1,
      minReadySeconds: -1,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: -1 } },
    }),
    'retention policy': workload('StatefulSet', 'x', {
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Foo', whenScaled: 'Bar' },
    }),
    'restart policy': workload('StatefulSet', 'x', { template: template({ ...podSpec, restartPolicy: 'Never' }) }),
  }),
  ...group('daemonsets', {
    'no spec': one('apps/v1', 'DaemonSet'),
    'selector mismatch': workload('DaemonSet', 'x', { selector: { matchLabels: { a: 'b' } } }),
    'update strategy': workload('DaemonSet', 'x', { updateStrategy: { type: 'Foo' } }),
    'both zero': workload('DaemonSet', 'x', { updateStrategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
    'restart policy': workload('DaemonSet', 'x', { template: template({ ...podSpec, restartPolicy: 'OnFailure' }) }),
    'negative numbers': workload('DaemonSet', 'x', { minReadySeconds: -1, revisionHistoryLimit: -1 }),
  }),
  ...group('secrets', {
    'bad key': one('v1', 'Secret', { stringData: { 'a b': 'c' } }),
    'docker without data': one('v1', 'Secret', { type: 'kubernetes.io/dockerconfigjson' }),
    'docker not json': one('v1', 'Secret', {
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': 'x' },
    }),
    'tls without data': one('v1', 'Secret', { type: 'kubernetes.io/tls' }),
    'basic auth': one('v1', 'Secret', { type: 'kubernetes.io/basic-auth' }),
    'account token': one('v1', 'Secret', { type: 'kubernetes.io/service-account-token' }),
  }),
  ...group(
    'namespaces',
    {
      'bad name': one('v1', 'Namespace', {}, { name: 'A.b' }),
      'long name': one('v1', 'Namespace', {}, { name: LONG }),
    },
    true,
  ),
  ...group('persistentvolumeclaims', {
    'no spec': one('v1', 'PersistentVolumeClaim'),
    'access mode': claim('x', { accessModes: ['Foo'] }),
    'negative size': claim('x', { resources: { requests: { storage: '-1' } } }),
    'storage class': claim('x', { storageClassName: 'A_b' }),
    'volume mode': claim('x', { volumeMode: 'Foo' }),
  }),
  ...group(
    'persistentvolumes',
    {
      'no spec': one('v1', 'PersistentVolume'),
      'no source': one('v1', 'PersistentVolume', {
        spec: { capacity: { storage: '1' }, accessModes: ['ReadWriteOnce'] },
      }),
      'two sources': one('v1', 'PersistentVolume', {
        spec: {
          capacity: { storage: '1' },
          accessModes: ['ReadWriteOnce'],
          hostPath: { path: '/x' },
          local: { path: '/x' },
        },
      }),
      'bad values': one('v1', 'PersistentVolume', {
        spec: {
          capacity: { storage: '0' },
          accessModes: ['Foo'],
          persistentVolumeReclaimPolicy: 'Foo',
          hostPath: { path: '/x' },
        },
      }),
    },
    true,
  ),
  ...group('poddisruptionbudgets', {
    both: one('policy/v1', 'PodDisruptionBudget', { spec: { minAvailable: 1, maxUnavailable: 1, selector: {} } }),
    negative: one('policy/v1', 'PodDisruptionBudget', { spec: { minAvailable: -1 } }),
    percentage: one('policy/v1', 'PodDisruptionBudget', {
      spec: { maxUnavailable: '200%', selector: { matchLabels: { 'a b': 'c' } } },
    }),
    'not a percentage': one('policy/v1', 'PodDisruptionBudget', { spec: { maxUnavailable: 'x' } }),
    'unhealthy policy': one('policy/v1', 'PodDisruptionBudget', {
      spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy: 'Foo' },
    }),
  }),
  ...group('roles', {
    'no verbs': one(rbac, 'Role', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: [] }] }),
    'no groups': one(rbac, 'Role', { rules: [{ resources: ['pods'], verbs: ['get'] }] }),
    'no resources': one(rbac, 'Role', { rules: [{ apiGroups: [''], verbs: ['get'] }] }),
    'non-resource': one(rbac, 'Role', { rules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }] }),
  }),
  ...group('rolebindings', {
    'no role': one(rbac, 'RoleBinding', { roleRef: { kind: '', name: '' } }),
    'role kind': one(rbac, 'RoleBinding', { roleRef: { apiGroup: 'x', kind: 'Foo', name: 'a' } }),
    subjects: one(rbac, 'RoleBinding', {
      roleRef: { kind: 'Role', name: 'a' },
      subjects: [
        { kind: 'Foo', name: 'a' },
        { kind: 'User', name: '' },
        { kind: 'ServiceAccount', name: 'A_b' },
        { kind: 'Group', name: 'x', apiGroup: 'y' },
      ],
    }),
  }),
  ...group('leases', {
    duration: one('coordination.k8s.io/v1', 'Lease', { spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } }),
  }),
  ...group('horizontalpodautoscalers', {
    bounds: one('autoscaling/v2', 'HorizontalPodAutoscaler', {
      spec: { minReplicas: 5, maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'd' } },
    }),
    'no target': one('autoscaling/v2', 'HorizontalPodAutoscaler', {
      spec: { maxReplicas: 0, minReplicas: 0, scaleTargetRef: { kind: '', name: '' } },
    }),
  }),
  ...group('ingresses', {
    'no rules': one('networking.k8s.io/v1', 'Ingress', { spec: {} }),
    paths: one('networking.k8s.io/v1', 'Ingress', {
      spec: {
        rules: [
          {
            host: 'A_b',
            http: {
              paths: [
                { path: 'x', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } },
                { path: '/x', backend: {} },
              ],
            },
          },
        ],
      },
    }),
  }),
  ...group('networkpolicies', {
    types: one('networking.k8s.io/v1', 'NetworkPolicy', { spec: { podSelector: {}, policyTypes: ['Foo'] } }),
    peers: one('networking.k8s.io/v1', 'NetworkPolicy', {
      spec: { podSelector: {}, ingress: [{ from: [{}], ports: [{ protocol: 'HTTP', port: 70000 }] }] },
    }),
  }),
  ...group('endpointslices', {
    'address type': one('discovery.k8s.io/v1', 'EndpointSlice', { addressType: 'Foo' }),
    addresses: one('discovery.k8s.io/v1', 'EndpointSlice', {
      addressType: 'IPv4',
      endpoints: [{ addresses: [] }, { addresses: ['x'] }],
    }),
    'no address type': one('discovery.k8s.io/v1', 'EndpointSlice', {}),
    'address of another family': slice({ endpoints: [{ addresses: ['fd00::1'] }] }),
    'address that nobody reaches': slice({ endpoints: [{ addresses: ['127.0.0.1'] }, { addresses: ['169.254.1.1'] }] }),
    'address of six': slice({
      addressType: 'IPv6',
      endpoints: [{ addresses: ['10.1.0.1'] }, { addresses: ['fe80::1'] }],
    }),
    'address that is a name': slice({ addressType: 'FQDN', endpoints: [{ addresses: ['A_b.example'] }] }),
    'ports twice': slice({
      ports: [
        { name: 'a', port: 1 },
        { name: 'a', port: 2 },
      ],
    }),
    'ports without names': slice({ ports: [{ port: 1 }, { port: 2 }] }),
    'port name': slice({ ports: [{ name: 'A_b', port: 1, protocol: 'HTTP', appProtocol: 'a b' }] }),
    hostname: endpoint({ hostname: 'A_b' }),
    'node name': endpoint({ nodeName: 'A_b' }),
    hints: endpoint({
      hints: { forZones: [{ name: 'a' }, { name: 'a' }, { name: 'a b' }], forNodes: [{ name: 'A_b' }] },
    }),
    'too many hints': endpoint({ hints: { forZones: Array.from({ length: 9 }, (_, i) => ({ name: `z${i}` })) } }),
  }),
  ...group('endpoints', {
    'no addresses': one('v1', 'Endpoints', { subsets: [{ ports: [{ port: 80 }] }] }),
    addresses: one('v1', 'Endpoints', {
      subsets: [
        {
          addresses: ['x', '', '010.0.0.1', '::ffff:10.0.0.1', '0.0.0.0', '127.0.0.1', '169.254.1.1', '224.0.0.1'].map(
            (ip) => ({ ip }),
          ),
        },
      ],
    }),
    'addresses of IPv6': one('v1', 'Endpoints', {
      subsets: [
        { notReadyAddresses: ['::', '::1', 'fe80::1', 'ff02::1', 'fe80::1%eth0', '0127.0.0.1'].map((ip) => ({ ip })) },
      ],
    }),
    names: one('v1', 'Endpoints', {
      subsets: [
        {
          addresses: [
            { ip: '10.0.0.1', hostname: 'A_b', nodeName: 'A_b' },
            { ip: '10.0.0.2', nodeName: '' },
          ],
          ports: [{ name: 'A_b', port: 1 }],
        },
      ],
    }),
    ports: one('v1', 'Endpoints', {
      subsets: [
        {
          addresses: [{ ip: '10.0.0.1' }],
          ports: [{ port: 0 }, { name: 'b', port: 70_000, protocol: 'HTTP', appProtocol: 'a b' }],
        },
      ],
    }),
  }),
  ...group('resourcequotas', { hard: one('v1', 'ResourceQuota', { spec: { hard: { pods: '-1', foo: '1' } } }) }),
  ...group(
    'priorityclasses',
    {
      value: one(
        'scheduling.k8s.io/v1',
        'PriorityClass',
        { value: 2_000_000_000, preemptionPolicy: 'Foo' },
        { name: 'golden-bad' },
      ),
    },
    true,
  ),
  ...group(
    'storageclasses',
    {
      'no provisioner': one(
        'storage.k8s.io/v1',
        'StorageClass',
        { volumeBindingMode: 'Foo', reclaimPolicy: 'Recycle' },
        { name: 'golden-bad' },
      ),
    },
    true,
  ),
];

const changed: Refusal[] = [
  ...changes('deployments', deployment('x'), {
    selector: {
      spec: { selector: { matchLabels: { app: 'other' } }, template: { metadata: { labels: { app: 'other' } } } },
    },
    'negative replicas': { spec: { replicas: -3 } },
    name: { metadata: { uid: 'other' } },
  }),
  ...changes('replicasets', workload('ReplicaSet', 'x'), {
    selector: {
      spec: { selector: { matchLabels: { app: 'other' } }, template: { metadata: { labels: { app: 'other' } } } },
    },
  }),
  ...changes('daemonsets', workload('DaemonSet', 'x'), {
    selector: {
      spec: { selector: { matchLabels: { app: 'other' } }, template: { metadata: { labels: { app: 'other' } } } },
    },
  }),
  ...changes('statefulsets', workload('StatefulSet', 'x', { serviceName: 's' }), {
    'service name': { spec: { serviceName: 't' } },
    'management policy': { spec: { podManagementPolicy: 'Parallel' } },
  }),
  ...changes('pods', pod('x'), {
    'node name': { spec: { nodeName: 'n' } },
    'container list': { spec: { containers: [...podSpec.containers, { name: 'd', image: 'x' }] } },
    'restart policy': { spec: { restartPolicy: 'Never' } },
    command: { spec: { containers: [{ name: 'c', image: 'nginx:1.27', command: ['x'] }] } },
    'empty image': { spec: { containers: [{ name: 'c', image: '' }] } },
    deadline: { spec: { activeDeadlineSeconds: -1 } },
    tolerations: { spec: { tolerations: [] } },
  }),
  ...changes('jobs', job('x', { completions: 2 }), {
    completions: { spec: { completions: 3 } },
    template: { spec: { template: { spec: { containers: [{ name: 'c', image: 'other' }] } } } },
    selector: { spec: { selector: { matchLabels: { a: 'b' } } } },
    'completion mode': { spec: { completionMode: 'Indexed' } },
  }),
  ...changes('services', service('x', { clusterIP: 'None', ports: [{ port: 80 }] }), {
    'cluster address': { spec: { clusterIP: '10.0.0.77', clusterIPs: ['10.0.0.77'] } },
    'port zero': { spec: { ports: [{ port: 0 }] } },
  }),
  ...changes(
    'services',
    service('x', {
      clusterIP: 'None',
      ports: [{ port: 80 }],
      ipFamilies: ['IPv4', 'IPv6'],
      ipFamilyPolicy: 'RequireDualStack',
      selector: { app: 'web' },
    }),
    {
      'fewer families': { spec: { ipFamilies: ['IPv4'] } },
    },
  ),
  ...changes('endpointslices', endpoint({}), {
    'address type': { addressType: 'IPv6', endpoints: null },
    endpoints: { endpoints: [{ addresses: ['0.0.0.0'] }] },
  }),
  ...changes('endpoints', one('v1', 'Endpoints', { subsets: [{ addresses: [{ ip: '10.0.0.1' }] }] }), {
    addresses: { subsets: [{ addresses: [{ ip: '127.0.0.1' }] }] },
  }),
  ...changes(
    'configmaps',
    { ...configMap({}), data: { a: 'b' }, immutable: true },
    { data: { data: { a: 'c' } }, immutable: { immutable: false } },
  ),
  ...changes('secrets', one('v1', 'Secret', { stringData: { a: 'b' }, immutable: true }), {
    data: { data: { a: 'AA==' } },
    type: { type: 'other' },
  }),
  ...changes('persistentvolumeclaims', claim('x'), {
    spec: { spec: { accessModes: ['ReadWriteMany'] } },
    size: { spec: { resources: { requests: { storage: '2Gi' } } } },
  }),
  ...changes('rolebindings', one(rbac, 'RoleBinding', { roleRef: { kind: 'ClusterRole', name: 'view' } }), {
    role: { roleRef: { name: 'edit' } },
  }),
  ...changes('cronjobs', cronJob('x'), { schedule: { spec: { schedule: 'x' } } }),
  ...changes('poddisruptionbudgets', one('policy/v1', 'PodDisruptionBudget', { spec: { minAvailable: 1 } }), {
    both: { spec: { maxUnavailable: 1 } },
  }),
];

export const bad: readonly Refusal[] = [
  ...metadata,
  ...deployments,
  ...containers,
  ...podSpecs,
  ...jobs,
  ...cronJobs,
  ...services,
  ...others,
  ...changed,
];

function stepsOf({ resource, body, change, clusterScoped }: Refusal, namespace: string): Step[] {
  const path = pathOf(String(body['apiVersion']), resource, clusterScoped ? undefined : namespace);
  if (change === undefined) return [{ verb: 'POST', path, body }];
  return [
    { verb: 'POST', path, body },
    { verb: 'PATCH', path: `${path}/x`, body: change, type: 'application/merge-patch+json' },
  ];
}

export const refusals: readonly Scenario[] = bad.map((refusal) => ({
  name: `refuse ${refusal.name}`,
  steps: (namespace) => stepsOf(refusal, namespace),
}));
