import type { Endpoints, ObjectMeta, Pod } from '#pkg/api';
import { deepFreeze } from '#pkg/base';
import { at } from '#pkg/testing';

type Container = NonNullable<Pod['spec']>['containers'][number];

export interface PodParts {
  readonly ready?: boolean;
  readonly ips?: readonly string[];
  readonly phase?: string;
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<NonNullable<Pod['spec']>>;
  /** Ports of its container, by name. */
  readonly ports?: Readonly<Record<string, number>>;
}

/** A Pod on a node, running, ready, with the address `10.0.0.1`, that Services of `app: web` select. */
export function podOf(
  name: string,
  { ready = true, ips = ['10.0.0.1'], phase = 'Running', metadata, spec, ports = {} }: PodParts = {},
): Pod {
  const container: Container = {
    name: 'app',
    image: 'app:v1',
    ports: Object.entries(ports).map(([port, containerPort]) => ({ name: port, containerPort, protocol: 'TCP' })),
  };
  return deepFreeze({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      resourceVersion: '1',
      creationTimestamp: at(0),
      labels: { app: 'web' },
      ...metadata,
    },
    spec: { nodeName: 'node-1', containers: [container], ...spec },
    status: {
      phase,
      ...(ips.length > 0 ? { podIP: ips[0]!, podIPs: ips.map((ip) => ({ ip })) } : {}),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: at(10) }],
    },
  } satisfies Pod);
}

export function endpointsOf(
  name: string,
  parts: Omit<Partial<Endpoints>, 'metadata'> & { readonly metadata?: Partial<ObjectMeta> } = {},
): Endpoints {
  const metadata = {
    name,
    namespace: 'default',
    uid: `uid-${name}`,
    resourceVersion: '7',
    creationTimestamp: at(0),
    ...parts.metadata,
  };
  return deepFreeze({ apiVersion: 'v1', kind: 'Endpoints', ...parts, metadata });
}
