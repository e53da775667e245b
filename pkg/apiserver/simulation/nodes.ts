import { formatMicroTime, formatTime } from '#pkg/base';
import { newUid } from '../handler/uid.ts';
import type { JsonObject } from '../json.ts';
import { MANAGED } from './annotations.ts';
import { type World, modify } from './world.ts';

export interface NodeOptions {
  readonly cpu?: string;
  readonly memory?: string;
  readonly pods?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

const LEASES = 'leases.coordination.k8s.io';
const LEASE_SECONDS = 40;

export function nodeName(index: number): string {
  return `node-${index + 1}`;
}

/** Stores node `index`, ready and empty, unless it is there. */
export function createNode(world: World, index: number, options: NodeOptions): void {
  const name = nodeName(index);
  if (world.store.get('nodes', name) === undefined)
    world.store.create('nodes', name, nodeObject(world, name, index, options));
}

function nodeObject(world: World, name: string, index: number, options: NodeOptions): JsonObject {
  const now = formatTime(world.clock.now());
  const { cpu = '8', memory = '32Gi', pods = 110 } = options;
  const resources = {
    cpu,
    memory,
    pods: String(pods),
    'ephemeral-storage': '100Gi',
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
  };
  const condition = (type: string, status: string, reason: string, message: string): JsonObject => ({
    type,
    status,
    lastHeartbeatTime: now,
    lastTransitionTime: now,
    reason,
    message,
  });
  return {
    kind: 'Node',
    apiVersion: 'v1',
    metadata: {
      name,
      uid: newUid(world.random),
      creationTimestamp: now,
      labels: {
        'beta.kubernetes.io/arch': 'amd64',
        'beta.kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        ...options.labels,
      },
      annotations: { [MANAGED]: 'true' },
    },
    spec: { podCIDR: `10.244.${index % 256}.0/24`, podCIDRs: [`10.244.${index % 256}.0/24`] },
    status: {
      capacity: resources,
      allocatable: { ...resources },
      conditions: [
        condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
        condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
        condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
        condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
      ],
      addresses: [
        { type: 'InternalIP', address: hostAddress(index) },
        { type: 'Hostname', address: name },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      nodeInfo: {
        architecture: 'amd64',
        bootID: newUid(world.random),
        containerRuntimeVersion: 'simulated://1.0',
        kernelVersion: '0.0.0-simulated',
        kubeProxyVersion: '',
        kubeletVersion: 'v1.36.2',
        machineID: newUid(world.random),
        operatingSystem: 'linux',
        osImage: 'Simulated',
        systemUUID: newUid(world.random),
      },
    },
  };
}

export function hostAddress(index: number): string {
  return `10.0.${1 + ((index >> 8) & 0xff)}.${(index & 0xff) + 1}`;
}

/** Says that the node lives, as kubelets do with a Lease each. */
export function heartbeat(world: World, name: string): void {
  const node = world.store.get('nodes', name);
  if (node === undefined) return;
  const key = `kube-node-lease/${name}`;
  const renewTime = formatMicroTime(world.clock.now());
  const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime };
  const renewed = modify(world, LEASES, key, (lease) => {
    lease['spec'] = spec;
  });
  if (renewed !== undefined) return;
  const uid = (node.object['metadata'] as JsonObject)['uid'];
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name, uid }];
  const metadata = {
    name,
    namespace: 'kube-node-lease',
    uid: newUid(world.random),
    creationTimestamp: formatTime(world.clock.now()),
    ownerReferences,
  };
  world.store.create(LEASES, key, { kind: 'Lease', apiVersion: 'coordination.k8s.io/v1', metadata, spec });
}
