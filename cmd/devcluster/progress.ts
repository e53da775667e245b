import type { ApiServer, StoreEvent } from '#pkg/apiserver';
import { describeRollout } from './workload.ts';

const started = performance.now();

/** Seconds since the program began, and what is to be said. */
export function say(text: string): void {
  console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)}s  ${text}`);
}

/** Prints every change of Deployments, ReplicaSets, Jobs, Pods, disruption budgets and the endpoints of Services that a reader would notice. Returns what ends it. */
export function printProgress(server: ApiServer): () => void {
  const last = new Map<string, string>();
  const tell = (event: StoreEvent, line: string): void => {
    const { uid } = event.entry.object['metadata'] as { uid: string };
    const shown = event.type === 'DELETED' ? `${line.split(':', 1)[0]}: gone` : line;
    if (last.get(uid) !== shown) say(shown);
    if (event.type === 'DELETED') last.delete(uid);
    else last.set(uid, shown);
  };
  const follow = (resource: string, describe: (object: never) => string): (() => void) =>
    server.store.watch(resource, {}, server.store.revision, (event) =>
      tell(event, describe(event.entry.object as never)),
    );
  const stops = [
    follow('deployments.apps', describeRollout),
    follow('replicasets.apps', describeReplicaSet),
    follow('jobs.batch', describeJob),
    follow('pods', describePod),
    follow('endpointslices.discovery.k8s.io', describeSlice),
    follow('poddisruptionbudgets.policy', describeBudget),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

interface ReplicaSet {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly replicas?: number };
}

function describeReplicaSet({ metadata, spec }: ReplicaSet): string {
  return `replicaset ${metadata.name}: ${spec.replicas ?? 1} wanted`;
}

interface Job {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly completions?: number };
  readonly status?: {
    readonly active?: number;
    readonly succeeded?: number;
    readonly failed?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

function describeJob({ metadata, spec, status = {} }: Job): string {
  const { active = 0, succeeded = 0, failed = 0, conditions = [] } = status;
  const end = conditions.find(
    ({ type, status: value }) => value === 'True' && (type === 'Complete' || type === 'Failed'),
  );
  const wanted = spec.completions === undefined ? '' : ` of ${spec.completions}`;
  return `job ${metadata.name}: ${succeeded}${wanted} succeeded, ${failed} failed, ${active} active${end ? `, ${end.type.toLowerCase()}` : ''}`;
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

function describePod({ metadata, spec, status }: Pod): string {
  const ready = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
  const state =
    metadata.deletionTimestamp === undefined ? `${status?.phase ?? 'Pending'}${ready ? ', ready' : ''}` : 'terminating';
  return `pod ${metadata.name}: ${state}${spec.nodeName === undefined ? '' : ` on ${spec.nodeName}`}`;
}

interface EndpointSlice {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly addressType: string;
  readonly endpoints?:
    | readonly { readonly conditions?: { readonly ready?: boolean; readonly terminating?: boolean } }[]
    | null;
}

function describeSlice({ metadata, addressType, endpoints }: EndpointSlice): string {
  const conditions = (endpoints ?? []).map((endpoint) => endpoint.conditions ?? {});
  const ready = conditions.filter((condition) => condition.ready === true).length;
  const leaving = conditions.filter((condition) => condition.terminating === true).length;
  const service = metadata.labels?.['kubernetes.io/service-name'] ?? 'nobody';
  return `endpointslice ${metadata.name}: ${ready} of ${conditions.length} ${addressType} endpoints of service ${service} ready${leaving > 0 ? `, ${leaving} leaving` : ''}`;
}

interface Budget {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly currentHealthy?: number;
    readonly desiredHealthy?: number;
    readonly disruptionsAllowed?: number;
  };
}

function describeBudget({ metadata, status = {} }: Budget): string {
  const { currentHealthy = 0, desiredHealthy = 0, disruptionsAllowed = 0 } = status;
  return `poddisruptionbudget ${metadata.name}: ${currentHealthy} healthy, ${desiredHealthy} needed, ${disruptionsAllowed} may be evicted`;
}
