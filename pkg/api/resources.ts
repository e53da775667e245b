import type {
  ConfigMap,
  ControllerRevision,
  CoreEvent,
  CronJob,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Endpoints,
  EventsEvent,
  Job,
  KubeObject,
  Lease,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  PodGroup,
  ReplicaSet,
  ReplicationController,
  Secret,
  Service,
  ServiceAccount,
  StatefulSet,
  Workload,
} from './types.ts';

/** Names one resource of the API and, by its type parameter, the shape of its objects. */
export interface ResourceType<T extends KubeObject = KubeObject> {
  /** API group; empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural name in paths: `deployments`. */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Carries `T`; never set. */
  readonly objectType?: T;
}

function core<T extends KubeObject>(resource: string, kind: string, namespaced = true): ResourceType<T> {
  return { group: '', version: 'v1', resource, kind, namespaced };
}

function grouped<T extends KubeObject>(group: string, resource: string, kind: string, version = 'v1'): ResourceType<T> {
  return { group, version, resource, kind, namespaced: true };
}

/** The resources that the library and the controllers know by type. */
export const resources = {
  configMaps: core<ConfigMap>('configmaps', 'ConfigMap'),
  endpoints: core<Endpoints>('endpoints', 'Endpoints'),
  events: core<CoreEvent>('events', 'Event'),
  namespaces: core<Namespace>('namespaces', 'Namespace', false),
  nodes: core<Node>('nodes', 'Node', false),
  persistentVolumeClaims: core<PersistentVolumeClaim>('persistentvolumeclaims', 'PersistentVolumeClaim'),
  persistentVolumes: core<PersistentVolume>('persistentvolumes', 'PersistentVolume', false),
  pods: core<Pod>('pods', 'Pod'),
  replicationControllers: core<ReplicationController>('replicationcontrollers', 'ReplicationController'),
  secrets: core<Secret>('secrets', 'Secret'),
  serviceAccounts: core<ServiceAccount>('serviceaccounts', 'ServiceAccount'),
  services: core<Service>('services', 'Service'),
  controllerRevisions: grouped<ControllerRevision>('apps', 'controllerrevisions', 'ControllerRevision'),
  daemonSets: grouped<DaemonSet>('apps', 'daemonsets', 'DaemonSet'),
  deployments: grouped<Deployment>('apps', 'deployments', 'Deployment'),
  replicaSets: grouped<ReplicaSet>('apps', 'replicasets', 'ReplicaSet'),
  statefulSets: grouped<StatefulSet>('apps', 'statefulsets', 'StatefulSet'),
  cronJobs: grouped<CronJob>('batch', 'cronjobs', 'CronJob'),
  jobs: grouped<Job>('batch', 'jobs', 'Job'),
  leases: grouped<Lease>('coordination.k8s.io', 'leases', 'Lease'),
  endpointSlices: grouped<EndpointSlice>('discovery.k8s.io', 'endpointslices', 'EndpointSlice'),
  eventsEvents: grouped<EventsEvent>('events.k8s.io', 'events', 'Event'),
  podDisruptionBudgets: grouped<PodDisruptionBudget>('policy', 'poddisruptionbudgets', 'PodDisruptionBudget'),
  podGroups: grouped<PodGroup>('scheduling.k8s.io', 'podgroups', 'PodGroup', 'v1alpha2'),
  workloads: grouped<Workload>('scheduling.k8s.io', 'workloads', 'Workload', 'v1alpha2'),
} as const;

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf(type: Pick<ResourceType, 'group' | 'version'>): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** `deployments.apps`, or `pods` for the core group (`schema.GroupResource`). */
export function groupResource(type: Pick<ResourceType, 'group' | 'resource'>): string {
  return type.group === '' ? type.resource : `${type.resource}.${type.group}`;
}

/** The path of a collection, an object in it, or a subresource of that object. */
export function resourcePath(type: ResourceType, namespace?: string, name?: string, subresource?: string): string {
  let path = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  if (type.namespaced && namespace !== undefined && namespace !== '')
    path += `/namespaces/${encodeURIComponent(namespace)}`;
  path += `/${type.resource}`;
  if (name !== undefined) path += `/${encodeURIComponent(name)}`;
  if (subresource !== undefined) path += `/${subresource}`;
  return path;
}
