import { fnv32a } from '#pkg/base';

/** Filler of `length` characters that differs from place to place, so that nothing gains by equal strings. */
function filler(seed: string, length: number): string {
  let text = '';
  for (let i = 0; text.length < length; i++) text += fnv32a(`${seed}/${i}`).toString(36);
  return text.slice(0, length);
}

function uid(seed: string): string {
  const hex = [0, 1, 2, 3].map((i) => fnv32a(`${seed}#${i}`).toString(16).padStart(8, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const TIME = '2026-01-01T00:00:00Z';

/** A running Pod of a Deployment, of about 5.5 KB as the API server writes it, a third of it managedFields. */
export function podJson(index: number, resourceVersion: number): object {
  const replicaSet = `web-${Math.floor(index / 50)}-5d4f8c7b9`;
  const name = `${replicaSet}-${filler(`pod-${index}`, 5)}`;
  // As in life: what comes from the template is alike in all Pods of a ReplicaSet, what the server adds is not.
  const env = Array.from({ length: 8 }, (_, i) => ({ name: `SETTING_${i}`, value: filler(`${replicaSet}/${i}`, 24) }));
  const token = `kube-api-access-${filler(`volume-${index}`, 5)}`;
  const container = (which: string): object => ({
    name: which,
    image: `registry.example.com/team/${which}:v1.${index % 7}.0`,
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    env,
    resources: { limits: { cpu: '500m', memory: '512Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
    volumeMounts: [{ name: token, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
    livenessProbe: {
      httpGet: { path: '/healthz', port: 'http', scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
    },
    readinessProbe: {
      httpGet: { path: '/readyz', port: 'http', scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
    },
    terminationMessagePath: '/dev/termination-log',
    imagePullPolicy: 'IfNotPresent',
  });
  const condition = (type: string): object => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: TIME });
  return {
    metadata: {
      name,
      generateName: `${replicaSet}-`,
      namespace: `team-${index % 20}`,
      uid: uid(name),
      resourceVersion: String(resourceVersion),
      generation: 1,
      creationTimestamp: TIME,
      labels: { app: `web-${Math.floor(index / 50)}`, 'pod-template-hash': '5d4f8c7b9', tier: 'frontend' },
      annotations: { 'example.com/checksum': filler(`${replicaSet}/sum`, 64) },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: replicaSet,
          uid: uid(replicaSet),
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: managedFields(uid(name)),
    },
    spec: {
      volumes: [
        {
          name: token,
          projected: {
            sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }],
            defaultMode: 420,
          },
        },
      ],
      containers: [container('app'), container('proxy')],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'default',
      nodeName: `node-${index % 200}`,
      securityContext: {},
      schedulerName: 'default-scheduler',
      tolerations: [
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      ],
      priority: 0,
      enableServiceLinks: true,
    },
    status: {
      phase: 'Running',
      conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
        condition,
      ),
      hostIP: `10.0.${index % 200}.1`,
      podIP: `10.1.${(index >> 8) % 256}.${index % 256}`,
      startTime: TIME,
      containerStatuses: ['app', 'proxy'].map((which) => ({
        name: which,
        state: { running: { startedAt: TIME } },
        lastState: {},
        ready: true,
        restartCount: 0,
        image: `registry.example.com/team/${which}:v1.${index % 7}.0`,
        imageID: `registry.example.com/team/${which}@sha256:${filler(which, 64)}`,
        containerID: `containerd://${filler(`${name}/${which}`, 64)}`,
        started: true,
      })),
      qosClass: 'Burstable',
    },
  };
}

function managedFields(key: string): object[] {
  const probe = {
    '.': {},
    'f:httpGet': { '.': {}, 'f:path': {}, 'f:port': {}, 'f:scheme': {} },
    'f:periodSeconds': {},
    'f:timeoutSeconds': {},
  };
  const container = {
    '.': {},
    'f:image': {},
    'f:imagePullPolicy': {},
    'f:livenessProbe': probe,
    'f:name': {},
    'f:readinessProbe': probe,
    'f:resources': {},
  };
  const spec = {
    'f:containers': { 'k:{"name":"app"}': container, 'k:{"name":"proxy"}': container },
    'f:dnsPolicy': {},
    'f:restartPolicy': {},
  };
  const metadata = {
    'f:generateName': {},
    'f:labels': { '.': {}, 'f:app': {} },
    'f:ownerReferences': { '.': {}, [`k:{"uid":"${key}"}`]: {} },
  };
  const status = {
    'f:conditions': { 'k:{"type":"Ready"}': { '.': {}, 'f:status': {}, 'f:type': {} } },
    'f:containerStatuses': {},
    'f:phase': {},
    'f:podIP': {},
  };
  const entry = (manager: string, fields: object): object => ({
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    time: TIME,
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
  });
  return [
    entry('kube-controller-manager', { 'f:metadata': metadata, 'f:spec': spec }),
    entry('kubelet', { 'f:status': status }),
  ];
}

/** A ConfigMap with `bytes` of data in a few keys. */
export function configMapJson(index: number, resourceVersion: number, bytes: number): object {
  const name = `settings-${index}`;
  const data = Object.fromEntries([0, 1, 2, 3].map((i) => [`file-${i}.conf`, filler(`${name}/${i}`, bytes / 4)]));
  return { metadata: metadataOf(name, index, resourceVersion), data };
}

function metadataOf(name: string, index: number, resourceVersion: number): object {
  return {
    name,
    namespace: `team-${index % 20}`,
    uid: uid(name),
    resourceVersion: String(resourceVersion),
    creationTimestamp: TIME,
    labels: { app: `web-${index % 50}`, 'app.kubernetes.io/managed-by': 'example' },
    managedFields: [
      {
        manager: 'kubectl-create',
        operation: 'Update',
        apiVersion: 'v1',
        time: TIME,
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { '.': {}, 'f:file-0.conf': {}, 'f:file-1.conf': {} } },
      },
    ],
  };
}

/** What the API server leaves of an object when asked for `PartialObjectMetadata`. */
export function metadataJson(object: object): object {
  const { metadata } = object as { metadata: object };
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}
