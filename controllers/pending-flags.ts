import type { FlagDefinition } from '#pkg/controller';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const YEAR = 365 * 24 * 60 * MINUTE;

const atATime = (what: string): string => `${what} at the same time; more react faster and load CPU and network more`;
const signingFile = (what: string, signer: string): string =>
  `File with the ${what} that signs for ${signer}. Not together with --cluster-signing-cert-file`;

/**
 * Flags of controllers that are not here yet, by controller: taken and checked all the same, so that a command line
 * written for the original works. When a controller comes, its flags move into its definition.
 */
export const pendingFlags = {
  'service-lb-controller': [
    {
      name: 'concurrent-service-syncs',
      type: 'int32',
      default: 1,
      help: atATime('Services synced'),
      config: 'ServiceController.ConcurrentServiceSyncs',
    },
  ],
  'persistentvolume-attach-detach-controller': [
    {
      name: 'attach-detach-reconcile-sync-period',
      type: 'duration',
      default: MINUTE,
      minimum: SECOND,
      help: 'Interval between two reconciliations of attached volumes; at least one second',
      config: 'AttachDetachController.ReconcilerSyncLoopPeriod',
    },
    {
      name: 'disable-attach-detach-reconcile-sync',
      type: 'bool',
      default: false,
      help: 'Never compare what is attached with what should be. Volumes may then not fit their Pods',
      config: 'AttachDetachController.DisableAttachDetachReconcilerSync',
    },
    {
      name: 'disable-force-detach-on-timeout',
      type: 'bool',
      default: false,
      help: 'Never detach by force after the longest unmount time; nodes that are gone then need the out-of-service taint',
      config: 'AttachDetachController.disableForceDetachOnTimeout',
    },
  ],
  'certificatesigningrequest-signing-controller': [
    {
      name: 'cluster-signing-cert-file',
      type: 'string',
      default: '',
      help: 'File with the certificate authority that signs for every signer',
      config: 'CSRSigningController.ClusterSigningCertFile',
    },
    {
      name: 'cluster-signing-duration',
      type: 'duration',
      default: YEAR,
      help: 'Longest validity of a signed certificate',
      config: 'CSRSigningController.ClusterSigningDuration',
    },
    {
      name: 'cluster-signing-key-file',
      type: 'string',
      default: '',
      help: 'Private key of --cluster-signing-cert-file',
      config: 'CSRSigningController.ClusterSigningKeyFile',
    },
    {
      name: 'cluster-signing-kube-apiserver-client-cert-file',
      type: 'string',
      default: '',
      help: signingFile('authority', 'kubernetes.io/kube-apiserver-client'),
      config: 'CSRSigningController.KubeAPIServerClientSignerConfiguration.CertFile',
    },
    {
      name: 'cluster-signing-kube-apiserver-client-key-file',
      type: 'string',
      default: '',
      help: signingFile('key', 'kubernetes.io/kube-apiserver-client'),
      config: 'CSRSigningController.KubeAPIServerClientSignerConfiguration.KeyFile',
    },
    {
      name: 'cluster-signing-kubelet-client-cert-file',
      type: 'string',
      default: '',
      help: signingFile('authority', 'kubernetes.io/kube-apiserver-client-kubelet'),
      config: 'CSRSigningController.KubeletClientSignerConfiguration.CertFile',
    },
    {
      name: 'cluster-signing-kubelet-client-key-file',
      type: 'string',
      default: '',
      help: signingFile('key', 'kubernetes.io/kube-apiserver-client-kubelet'),
      config: 'CSRSigningController.KubeletClientSignerConfiguration.KeyFile',
    },
    {
      name: 'cluster-signing-kubelet-serving-cert-file',
      type: 'string',
      default: '',
      help: signingFile('authority', 'kubernetes.io/kubelet-serving'),
      config: 'CSRSigningController.KubeletServingSignerConfiguration.CertFile',
    },
    {
      name: 'cluster-signing-kubelet-serving-key-file',
      type: 'string',
      default: '',
      help: signingFile('key', 'kubernetes.io/kubelet-serving'),
      config: 'CSRSigningController.KubeletServingSignerConfiguration.KeyFile',
    },
    {
      name: 'cluster-signing-legacy-unknown-cert-file',
      type: 'string',
      default: '',
      help: signingFile('authority', 'kubernetes.io/legacy-unknown'),
      config: 'CSRSigningController.LegacyUnknownSignerConfiguration.CertFile',
    },
    {
      name: 'cluster-signing-legacy-unknown-key-file',
      type: 'string',
      default: '',
      help: signingFile('key', 'kubernetes.io/legacy-unknown'),
      config: 'CSRSigningController.LegacyUnknownSignerConfiguration.KeyFile',
    },
  ],
  'device-taint-eviction-controller': [
    {
      name: 'concurrent-device-taint-eviction-syncs',
      type: 'int32',
      default: 8,
      minimum: 1,
      help: atATime('Pods evicted and rules updated'),
      config: 'DeviceTaintEvictionController.ConcurrentSyncs',
    },
  ],
  'resourceclaim-controller': [
    {
      name: 'concurrent-resourceclaim-syncs',
      type: 'int32',
      default: 50,
      minimum: 1,
      help: atATime('ResourceClaims created or deleted'),
      config: 'ResourceClaimController.ConcurrentSyncs',
    },
  ],
  'ephemeral-volume-controller': [
    {
      name: 'concurrent-ephemeralvolume-syncs',
      type: 'int32',
      default: 5,
      help: atATime('Ephemeral volumes synced'),
      config: 'EphemeralVolumeController.ConcurrentEphemeralVolumeSyncs',
    },
  ],
  'horizontal-pod-autoscaler-controller': [
    {
      name: 'concurrent-horizontal-pod-autoscaler-syncs',
      type: 'int32',
      default: 5,
      minimum: 1,
      help: atATime('Autoscalers synced'),
      config: 'HPAController.ConcurrentHorizontalPodAutoscalerSyncs',
    },
    {
      name: 'horizontal-pod-autoscaler-cpu-initialization-period',
      type: 'duration',
      default: 5 * MINUTE,
      help: 'CPU samples of a Pod may be left out this long after its start',
      config: 'HPAController.HorizontalPodAutoscalerCPUInitializationPeriod',
    },
    {
      name: 'horizontal-pod-autoscaler-downscale-stabilization',
      type: 'duration',
      default: 5 * MINUTE,
      help: 'Never scale below the highest recommendation of this long',
      config: 'HPAController.HorizontalPodAutoscalerDownscaleStabilizationWindow',
    },
    {
      name: 'horizontal-pod-autoscaler-initial-readiness-delay',
      type: 'duration',
      default: 30 * SECOND,
      help: "Changes of readiness this soon after a Pod's start count as its first",
      config: 'HPAController.HorizontalPodAutoscalerInitialReadinessDelay',
    },
    {
      name: 'horizontal-pod-autoscaler-sync-period',
      type: 'duration',
      default: 15 * SECOND,
      help: 'Interval between two evaluations of each HorizontalPodAutoscaler',
      config: 'HPAController.HorizontalPodAutoscalerSyncPeriod',
    },
    {
      name: 'horizontal-pod-autoscaler-tolerance',
      type: 'float',
      default: 0.1,
      help: 'Smallest difference from 1 of the ratio of desired to actual for which an autoscaler scales',
      config: 'HPAController.HorizontalPodAutoscalerTolerance',
    },
  ],
  'legacy-serviceaccount-token-cleaner-controller': [
    {
      name: 'legacy-service-account-token-clean-up-period',
      type: 'duration',
      default: YEAR,
      help: 'A legacy token not used for this long may be deleted',
      config: 'LegacySATokenCleaner.CleanUpPeriod',
    },
  ],
  'node-ipam-controller': [
    {
      name: 'node-cidr-mask-size',
      type: 'int32',
      default: 0,
      help: "Mask size of a node's CIDR; 24 for IPv4 and 64 for IPv6 where not set",
      config: 'NodeIPAMController.NodeCIDRMaskSize',
    },
    {
      name: 'node-cidr-mask-size-ipv4',
      type: 'int32',
      default: 0,
      help: "Mask size of a node's IPv4 CIDR with dual stack; 24 where not set",
      config: 'NodeIPAMController.NodeCIDRMaskSizeIPv4',
    },
    {
      name: 'node-cidr-mask-size-ipv6',
      type: 'int32',
      default: 0,
      help: "Mask size of a node's IPv6 CIDR with dual stack; 64 where not set",
      config: 'NodeIPAMController.NodeCIDRMaskSizeIPv6',
    },
    {
      name: 'service-cluster-ip-range',
      type: 'string',
      default: '',
      help: 'Range of Service addresses, two separated by a comma for dual stack. Only with --allocate-node-cidrs',
    },
  ],
  'node-lifecycle-controller': [
    {
      name: 'large-cluster-size-threshold',
      type: 'int32',
      default: 50,
      help: 'A zone with more nodes than this counts as large for evictions; in others none happen while the zone is unhealthy',
      config: 'NodeLifecycleController.LargeClusterSizeThreshold',
    },
    {
      name: 'node-eviction-rate',
      type: 'float32',
      default: 0.1,
      help: 'Nodes a second whose Pods are evicted while their zone is healthy',
      config: 'NodeLifecycleController.NodeEvictionRate',
    },
    {
      name: 'node-monitor-grace-period',
      type: 'duration',
      default: 50 * SECOND,
      help: "A node silent for this long becomes unhealthy. Must be several times the kubelet's update frequency",
      config: 'NodeLifecycleController.NodeMonitorGracePeriod',
    },
    {
      name: 'node-startup-grace-period',
      type: 'duration',
      default: MINUTE,
      help: 'The same for a node that has only started',
      config: 'NodeLifecycleController.NodeStartupGracePeriod',
    },
    {
      name: 'secondary-node-eviction-rate',
      type: 'float32',
      default: 0.01,
      help: 'Nodes a second whose Pods are evicted while their zone is unhealthy; none in small clusters',
      config: 'NodeLifecycleController.SecondaryNodeEvictionRate',
    },
    {
      name: 'unhealthy-zone-threshold',
      type: 'float32',
      default: 0.55,
      help: "Part of a zone's nodes that must not be ready (three at least) for the zone to be unhealthy",
      config: 'NodeLifecycleController.UnhealthyZoneThreshold',
    },
  ],
  'persistentvolume-binder-controller': [
    {
      name: 'enable-dynamic-provisioning',
      type: 'bool',
      default: true,
      help: 'Provision volumes for claims where the environment can',
      config: 'PersistentVolumeBinderController.VolumeConfiguration.EnableDynamicProvisioning',
    },
    {
      name: 'enable-hostpath-provisioner',
      type: 'bool',
      default: false,
      help: 'Provision folders of the host. For tests on a single node',
      config: 'PersistentVolumeBinderController.VolumeConfiguration.EnableHostPathProvisioning',
    },
    {
      name: 'flex-volume-plugin-dir',
      type: 'string',
      default: '/usr/libexec/kubernetes/kubelet-plugins/volume/exec/',
      help: 'Folder of flex volume plugins',
      config: 'PersistentVolumeBinderController.VolumeConfiguration.FlexVolumePluginDir',
    },
    {
      name: 'pv-recycler-increment-timeout-nfs',
      type: 'int32',
      default: 30,
      help: 'Seconds a Pod that scrubs an NFS volume gets for each Gi',
      config:
        'PersistentVolumeBinderController.VolumeConfiguration.PersistentVolumeRecyclerConfiguration.IncrementTimeoutNFS',
    },
    {
      name: 'pv-recycler-minimum-timeout-hostpath',
      type: 'int32',
      default: 60,
      help: 'Seconds a Pod that scrubs a host path gets at least. For tests on a single node',
      config:
        'PersistentVolumeBinderController.VolumeConfiguration.PersistentVolumeRecyclerConfiguration.MinimumTimeoutHostPath',
    },
    {
      name: 'pv-recycler-minimum-timeout-nfs',
      type: 'int32',
      default: 300,
      help: 'Seconds a Pod that scrubs an NFS volume gets at least',
      config:
        'PersistentVolumeBinderController.VolumeConfiguration.PersistentVolumeRecyclerConfiguration.MinimumTimeoutNFS',
    },
    {
      name: 'pv-recycler-pod-template-filepath-hostpath',
      type: 'string',
      default: '',
      help: 'File with the Pod that scrubs a host path. For tests on a single node',
      config:
        'PersistentVolumeBinderController.VolumeConfiguration.PersistentVolumeRecyclerConfiguration.PodTemplateFilePathHostPath',
    },
    {
      name: 'pv-recycler-pod-template-filepath-nfs',
      type: 'string',
      default: '',
      help: 'File with the Pod that scrubs an NFS volume',
      config:
        'PersistentVolumeBinderController.VolumeConfiguration.PersistentVolumeRecyclerConfiguration.PodTemplateFilePathNFS',
    },
    {
      name: 'pv-recycler-timeout-increment-hostpath',
      type: 'int32',
      default: 30,
      help: 'Seconds a Pod that scrubs a host path gets for each Gi. For tests on a single node',
      config:
        'PersistentVolumeBinderController.VolumeConfiguration.PersistentVolumeRecyclerConfiguration.IncrementTimeoutHostPath',
    },
    {
      name: 'pvclaimbinder-sync-period',
      type: 'duration',
      default: 15 * SECOND,
      help: 'Interval between two syncs of volumes and claims',
      config: 'PersistentVolumeBinderController.PVClaimBinderSyncPeriod',
    },
  ],
  'resourcequota-controller': [
    {
      name: 'concurrent-resource-quota-syncs',
      type: 'int32',
      default: 5,
      help: atATime('ResourceQuotas synced'),
      config: 'ResourceQuotaController.ConcurrentResourceQuotaSyncs',
    },
    {
      name: 'resource-quota-sync-period',
      type: 'duration',
      default: 5 * MINUTE,
      help: 'Interval between two full computations of every quota',
      config: 'ResourceQuotaController.ResourceQuotaSyncPeriod',
    },
  ],
  'serviceaccount-controller': [
    {
      name: 'concurrent-serviceaccount-token-syncs',
      type: 'int32',
      default: 5,
      help: atATime('Tokens of service accounts synced'),
      config: 'SAController.ConcurrentSATokenSyncs',
    },
    {
      name: 'root-ca-file',
      type: 'string',
      default: '',
      help: 'File with the authority that goes into token secrets and into the config map of every namespace',
      config: 'SAController.RootCAFile',
    },
    {
      name: 'service-account-private-key-file',
      type: 'string',
      default: '',
      help: 'File with the RSA or ECDSA key that signs legacy token secrets; without it there are none',
      config: 'SAController.ServiceAccountKeyFile',
    },
  ],
  'validatingadmissionpolicy-status-controller': [
    {
      name: 'concurrent-validating-admission-policy-status-syncs',
      type: 'int32',
      default: 5,
      minimum: 1,
      help: atATime('ValidatingAdmissionPolicies checked'),
      config: 'ValidatingAdmissionPolicyStatusController.ConcurrentPolicySyncs',
    },
  ],
} as const satisfies Readonly<Record<string, readonly FlagDefinition[]>>;
