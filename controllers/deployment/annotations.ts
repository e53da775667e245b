import { ownValue, setOwnValue, parseGoInteger, parseNatural32 } from '#pkg/base';
import type { Deployment, ReplicaSet, StringMap } from '#pkg/api';

import { maxReplicas } from './strategy.ts';
import { sizeOf } from './snapshot.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';
export const ROLLBACK_TO = 'deprecated.deployment.rollback.to';

/** These belong to one of the two objects and are never copied between them. */
const OWN: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  ROLLBACK_TO,
]);

/** The history stops growing at about a hundred revisions. */
const LONGEST_HISTORY = 2000;

/** The revision of a ReplicaSet; 0 where it has none, nothing where it is not a number. */
export function revisionOf(replicaSet: ReplicaSet): bigint | undefined {
  const text = replicaSet.metadata.annotations?.[REVISION];
  return text === undefined ? 0n : parseGoInteger(text, 64);
}

export function maxRevision(replicaSets: readonly ReplicaSet[]): bigint {
  return replicaSets.reduce((max, replicaSet) => larger(max, revisionOf(replicaSet) ?? 0n), 0n);
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** The highest revision but one; 0 where there is none. */
export function lastRevision(replicaSets: readonly ReplicaSet[]): bigint {
  const revisions = replicaSets.map(revisionOf).filter((revision) => revision !== undefined);
  return revisions.toSorted((a, b) => (a > b ? -1 : Number(a < b)))[1] ?? 0n;
}

/** A count that the controller has written on a ReplicaSet; nothing where it is missing or was tampered with. */
export function countFrom(replicaSet: ReplicaSet, annotation: string): number | undefined {
  return parseNatural32(ownValue(replicaSet.metadata.annotations, annotation));
}

/** The two counts by which scaling events and proportions are told later. */
export function replicaAnnotations(deployment: Deployment): StringMap {
  return { [DESIRED_REPLICAS]: String(sizeOf(deployment)), [MAX_REPLICAS]: String(maxReplicas(deployment)) };
}

/** The annotations that the new ReplicaSet should have: the Deployment's, and its own revision and history. */
export function newReplicaSetAnnotations(deployment: Deployment, current: StringMap, revision: bigint): StringMap {
  const annotations: Record<string, string> = { ...current };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!OWN.has(key)) setOwnValue(annotations, key, value);
  }
  const oldRevision = current[REVISION];
  // Someone wrote what is not a number: leave it to them, as upstream does.
  const old = oldRevision ? parseGoInteger(oldRevision, 64) : 0n;
  if (old === undefined || old >= revision) return annotations;
  annotations[REVISION] = String(revision);
  if (oldRevision !== undefined) {
    const history = extendHistory(current[REVISION_HISTORY] ?? '', oldRevision);
    if (history !== undefined) annotations[REVISION_HISTORY] = history;
  }
  return annotations;
}

/** Adds a revision and drops the oldest ones that no longer fit. */
function extendHistory(history: string, revision: string): string | undefined {
  if (history === '') return revision;
  const revisions = history.split(',');
  let length = history.length + revision.length + 1;
  let start = 0;
  for (; length > LONGEST_HISTORY && start < revisions.length; start++) length -= revisions[start]!.length + 1;
  return length <= LONGEST_HISTORY ? [...revisions.slice(start), revision].join(',') : undefined;
}

/** The annotations of a Deployment that goes back to `replicaSet`: its own stay, the others come from there. */
export function rolledBackAnnotations(deployment: Deployment, replicaSet: ReplicaSet): StringMap {
  const own = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => OWN.has(key));
  const copied = Object.entries(replicaSet.metadata.annotations ?? {}).filter(([key]) => !OWN.has(key));
  return Object.fromEntries([...own, ...copied]);
}
