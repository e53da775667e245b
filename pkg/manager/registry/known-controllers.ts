/** What is fixed about a controller of Kubernetes 1.36, whether it is here yet or not (`names/controller_names.go`). */
export interface KnownController {
  readonly name: string;
  /** Former names that `--controllers` still takes. */
  readonly aliases?: readonly string[];
  /** It exists only while all of these gates are enabled. */
  readonly gates?: readonly string[];
  /** `*` does not include it. */
  readonly offByDefault?: true;
  /** Runs in a cloud controller manager, never here. */
  readonly cloudProvider?: true;
  /** Others need what it makes, so it starts before them, whatever `--controllers` says. */
  readonly first?: true;
}

/** All of them, by name. */
export const KNOWN_CONTROLLERS: readonly KnownController[] = [
  { name: 'bootstrap-signer-controller', aliases: ['bootstrapsigner'], offByDefault: true },
  { name: 'certificatesigningrequest-approving-controller', aliases: ['csrapproving'] },
  { name: 'certificatesigningrequest-cleaner-controller', aliases: ['csrcleaner'] },
  { name: 'certificatesigningrequest-signing-controller', aliases: ['csrsigning'] },
  { name: 'cloud-node-lifecycle-controller', aliases: ['cloud-node-lifecycle'], cloudProvider: true },
  { name: 'clusterrole-aggregation-controller', aliases: ['clusterrole-aggregation'] },
  { name: 'cronjob-controller', aliases: ['cronjob'] },
  { name: 'daemonset-controller', aliases: ['daemonset'] },
  { name: 'deployment-controller', aliases: ['deployment'] },
  { name: 'device-taint-eviction-controller', gates: ['DynamicResourceAllocation', 'DRADeviceTaints'] },
  { name: 'disruption-controller', aliases: ['disruption'] },
  { name: 'endpoints-controller', aliases: ['endpoint'] },
  { name: 'endpointslice-controller', aliases: ['endpointslice'] },
  { name: 'endpointslice-mirroring-controller', aliases: ['endpointslicemirroring'] },
  { name: 'ephemeral-volume-controller', aliases: ['ephemeral-volume'] },
  { name: 'garbage-collector-controller', aliases: ['garbagecollector'] },
  { name: 'horizontal-pod-autoscaler-controller', aliases: ['horizontalpodautoscaling'] },
  { name: 'job-controller', aliases: ['job'] },
  { name: 'kube-apiserver-serving-clustertrustbundle-publisher-controller', gates: ['ClusterTrustBundle'] },
  { name: 'legacy-serviceaccount-token-cleaner-controller', aliases: ['legacy-service-account-token-cleaner'] },
  { name: 'namespace-controller', aliases: ['namespace'] },
  { name: 'node-ipam-controller', aliases: ['nodeipam'] },
  { name: 'node-lifecycle-controller', aliases: ['nodelifecycle'] },
  { name: 'node-route-controller', aliases: ['route'], cloudProvider: true },
  { name: 'persistentvolume-attach-detach-controller', aliases: ['attachdetach'] },
  { name: 'persistentvolume-binder-controller', aliases: ['persistentvolume-binder'] },
  { name: 'persistentvolume-expander-controller', aliases: ['persistentvolume-expander'] },
  { name: 'persistentvolume-protection-controller', aliases: ['pv-protection'] },
  { name: 'persistentvolumeclaim-protection-controller', aliases: ['pvc-protection'] },
  { name: 'pod-garbage-collector-controller', aliases: ['podgc'] },
  { name: 'podcertificaterequest-cleaner-controller', gates: ['PodCertificateRequest'] },
  { name: 'podgroup-protection-controller', gates: ['GenericWorkload'] },
  { name: 'replicaset-controller', aliases: ['replicaset'] },
  { name: 'replicationcontroller-controller', aliases: ['replicationcontroller'] },
  { name: 'resourceclaim-controller', aliases: ['resource-claim-controller'], gates: ['DynamicResourceAllocation'] },
  { name: 'resourcepoolstatusrequest-controller', gates: ['DRAResourcePoolStatus'] },
  { name: 'resourcequota-controller', aliases: ['resourcequota'] },
  { name: 'root-ca-certificate-publisher-controller', aliases: ['root-ca-cert-publisher'] },
  { name: 'selinux-warning-controller', gates: ['SELinuxChangePolicy'], offByDefault: true },
  { name: 'service-cidr-controller', gates: ['MultiCIDRServiceAllocator'] },
  { name: 'service-lb-controller', aliases: ['service'], cloudProvider: true },
  { name: 'serviceaccount-controller', aliases: ['serviceaccount'] },
  { name: 'serviceaccount-token-controller', aliases: ['serviceaccount-token'], first: true },
  { name: 'statefulset-controller', aliases: ['statefulset'] },
  { name: 'storage-version-migrator-controller', aliases: ['svm'] },
  {
    name: 'storageversion-garbage-collector-controller',
    aliases: ['storage-version-gc'],
    gates: ['APIServerIdentity', 'StorageVersionAPI'],
  },
  { name: 'taint-eviction-controller', gates: ['SeparateTaintEvictionController'] },
  { name: 'token-cleaner-controller', aliases: ['tokencleaner'], offByDefault: true },
  { name: 'ttl-after-finished-controller', aliases: ['ttl-after-finished'] },
  { name: 'ttl-controller', aliases: ['ttl'] },
  { name: 'validatingadmissionpolicy-status-controller' },
  { name: 'volumeattributesclass-protection-controller', gates: ['VolumeAttributesClass'] },
];
