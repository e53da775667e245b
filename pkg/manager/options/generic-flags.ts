import type { Flag } from './flag.ts';

const DAY = 24 * 60 * 60 * 1000;

export const debuggingFlags = [
  {
    name: 'contention-profiling',
    type: 'bool',
    default: false,
    help: 'Taken for compatibility; there is one thread and nothing to contend for',
    config: 'Generic.Debugging.enableContentionProfiling',
  },
  {
    name: 'profiling',
    type: 'bool',
    default: true,
    help: 'Serve CPU and heap profiles under /debug/pprof/ on the secure port',
    config: 'Generic.Debugging.enableProfiling',
  },
] as const satisfies readonly Flag[];

export const leaderMigrationFlags = [
  {
    name: 'enable-leader-migration',
    type: 'bool',
    default: false,
    help: 'Hold a second lease for controllers that move to another component',
    config: 'Generic.LeaderMigrationEnabled',
  },
  {
    name: 'leader-migration-config',
    type: 'string',
    default: '',
    help: 'File with a LeaderMigrationConfiguration of group controllermanager.config.k8s.io. Without it the default of the controller manager counts',
  },
] as const satisfies readonly Flag[];

/** What the original has no flag for. */
export const besideFlags = [
  {
    name: 'run-beside-other-manager',
    type: 'bool',
    default: false,
    help: 'With a lease of its own (--leader-elect-resource-name): run controllers although another process holds the lease kube-system/kube-controller-manager and may run them too. To be set when that one was started without them (--controllers)',
  },
] as const satisfies readonly Flag[];

export const genericFlags = [
  {
    name: 'allocate-node-cidrs',
    type: 'bool',
    default: false,
    help: 'Give each node a range of Pod addresses out of --cluster-cidr',
    config: 'KubeCloudShared.AllocateNodeCIDRs',
  },
  {
    name: 'allow-untagged-cloud',
    type: 'bool',
    default: false,
    help: 'Run where cloud instances have no cluster id',
    deprecated:
      'This flag is deprecated and will be removed in a future release. A cluster-id will be required on cloud instances.',
    config: 'KubeCloudShared.AllowUntaggedCloud',
  },
  {
    name: 'cidr-allocator-type',
    type: 'string',
    default: 'RangeAllocator',
    help: 'How node CIDRs are allocated',
    config: 'KubeCloudShared.CIDRAllocatorType',
  },
  {
    name: 'cloud-config',
    type: 'string',
    default: '',
    help: 'Configuration file of the cloud provider',
    config: 'KubeCloudShared.CloudProvider.CloudConfigFile',
  },
  {
    name: 'cloud-provider',
    type: 'string',
    default: '',
    help: 'Cloud provider: "external" where a cloud controller manager runs, or none',
    config: 'KubeCloudShared.CloudProvider.Name',
  },
  {
    name: 'cluster-cidr',
    type: 'string',
    default: '',
    help: 'Range of Pod addresses of the cluster, two separated by a comma for dual stack. Only with --allocate-node-cidrs',
    config: 'KubeCloudShared.ClusterCIDR',
  },
  {
    name: 'cluster-name',
    type: 'string',
    default: 'kubernetes',
    help: "Prefix of the cluster's instances",
    config: 'KubeCloudShared.ClusterName',
  },
  {
    name: 'configure-cloud-routes',
    type: 'bool',
    default: true,
    help: 'Have the cloud provider route the CIDRs allocated to nodes',
    config: 'KubeCloudShared.ConfigureCloudRoutes',
  },
  {
    name: 'controller-shutdown-timeout',
    type: 'duration',
    default: 10_000,
    help: 'How long controllers may take to end before the process ends without them; 0 for as long as they like',
  },
  {
    name: 'controller-start-interval',
    type: 'duration',
    default: 0,
    help: 'Controllers start spread over one to two times this',
    config: 'Generic.ControllerStartInterval',
  },
  {
    name: 'controllers',
    type: 'strings',
    default: ['*'],
    help: "Controllers to run: '*' for all that are on by default, 'name' for one more, '-name' for one less",
    config: 'Generic.Controllers',
  },
  {
    name: 'emulated-version',
    type: 'strings',
    default: [],
    help: 'Behave as this minor version, as major.minor or kube=major.minor',
  },
  {
    name: 'external-cloud-volume-plugin',
    type: 'string',
    default: '',
    help: 'Volume plugin to use where --cloud-provider is external',
    config: 'KubeCloudShared.ExternalCloudVolumePlugin',
  },
  {
    name: 'feature-gates',
    type: 'colonSeparatedMultimapStringString',
    default: {},
    help: 'Gates as Name=true|false or kube:Name=true|false, comma-separated and repeatable',
  },
  {
    name: 'kube-api-burst',
    type: 'int32',
    default: 30,
    help: 'Requests to the API server that may go out at once',
    config: 'Generic.ClientConnection.burst',
  },
  {
    name: 'kube-api-content-type',
    type: 'string',
    default: 'application/vnd.kubernetes.protobuf',
    help: 'Content type of requests. Taken for compatibility; requests are JSON',
    config: 'Generic.ClientConnection.contentType',
  },
  {
    name: 'kube-api-qps',
    type: 'float32',
    default: 20,
    help: 'Requests a second to the API server over time; below zero for no limit',
    config: 'Generic.ClientConnection.qps',
  },
  {
    name: 'leader-elect',
    type: 'bool',
    default: true,
    help: 'Work only while holding the lease, so that of several replicas one is active',
    config: 'Generic.LeaderElection.leaderElect',
  },
  {
    name: 'leader-elect-lease-duration',
    type: 'duration',
    default: 15_000,
    help: 'How long others wait for a lease that is not renewed before they take it',
    config: 'Generic.LeaderElection.leaseDuration',
  },
  {
    name: 'leader-elect-renew-deadline',
    type: 'duration',
    default: 10_000,
    help: 'How long the leader tries to renew before it gives up; shorter than the lease duration',
    config: 'Generic.LeaderElection.renewDeadline',
  },
  {
    name: 'leader-elect-resource-lock',
    type: 'string',
    default: 'leases',
    help: "Kind of the lock; only 'leases'",
    config: 'Generic.LeaderElection.resourceLock',
  },
  {
    name: 'leader-elect-resource-name',
    type: 'string',
    default: 'kube-controller-manager',
    help: 'Name of the lock',
    config: 'Generic.LeaderElection.resourceName',
  },
  {
    name: 'leader-elect-resource-namespace',
    type: 'string',
    default: 'kube-system',
    help: 'Namespace of the lock',
    config: 'Generic.LeaderElection.resourceNamespace',
  },
  {
    name: 'leader-elect-retry-period',
    type: 'duration',
    default: 2000,
    help: 'Time between attempts to take or renew the lease',
    config: 'Generic.LeaderElection.retryPeriod',
  },
  {
    name: 'min-compatibility-version',
    type: 'strings',
    default: [],
    help: 'Oldest version of other control plane components to get along with, as major.minor or kube=major.minor',
  },
  {
    name: 'min-resync-period',
    type: 'duration',
    default: DAY / 2,
    help: 'Caches are gone through again after a random time between once and twice this',
    config: 'Generic.MinResyncPeriod',
  },
  {
    name: 'node-monitor-period',
    type: 'duration',
    default: 5000,
    help: 'Interval between two checks of nodes by the cloud node lifecycle controller',
    config: 'KubeCloudShared.NodeMonitorPeriod',
  },
  {
    name: 'node-sync-period',
    type: 'duration',
    default: 0,
    help: 'Does nothing',
    deprecated: 'This flag is currently no-op and will be deleted.',
    config: 'KubeCloudShared.NodeSyncPeriod',
  },
  {
    name: 'route-reconciliation-period',
    type: 'duration',
    default: 10_000,
    help: "How often the cloud provider's routes are reconciled",
    config: 'KubeCloudShared.RouteReconciliationPeriod',
  },
  {
    name: 'use-service-account-credentials',
    type: 'bool',
    default: false,
    help: 'Each controller acts as its own service account in kube-system',
    config: 'KubeCloudShared.UseServiceAccountCredentials',
  },
] as const satisfies readonly Flag[];

export const miscFlags = [
  {
    name: 'kubeconfig',
    type: 'string',
    default: '',
    help: "File with the API server's address and credentials. Without it and --master: the Pod's own",
    config: 'Generic.ClientConnection.kubeconfig',
  },
  {
    name: 'master',
    type: 'string',
    default: '',
    help: 'Address of the API server, in place of the one in --kubeconfig',
  },
] as const satisfies readonly Flag[];

export const globalFlags = [
  { name: 'help', type: 'bool', default: false, shorthand: 'h', help: 'This help' },
  {
    name: 'version',
    type: 'version[=true]',
    default: 'false',
    help: '--version and --version=raw print the version and end; --version=vX.Y.Z... sets the one that is reported',
  },
] as const satisfies readonly Flag[];
