import { parseInt32 } from '#pkg/base';
import type { Pod, StatefulSet, StringMap } from '#pkg/api';

/** Labels that StatefulSets put on their Pods (`staging/src/k8s.io/api/apps/v1/types.go`). */
export const REVISION_LABEL = 'controller-revision-hash';
export const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
export const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index';

type Named = { readonly metadata: { readonly name: string } };

/** `web-3` is of the set `web` and has ordinal 3; -1 for what is no ordinal. Undefined for a name of another kind. */
export function parentAndOrdinal(name: string): { readonly parent: string; readonly ordinal: number } | undefined {
  const match = /^(.*)-([0-9]+)$/s.exec(name);
  if (!match) return undefined;
  return { parent: match[1]!, ordinal: parseInt32(match[2]) ?? -1 };
}

export function ordinalOf(pod: Named): number {
  return parentAndOrdinal(pod.metadata.name)?.ordinal ?? -1;
}

export function isMemberOf(set: Named, pod: Named): boolean {
  return parentAndOrdinal(pod.metadata.name)?.parent === set.metadata.name;
}

export function replicasOf(set: StatefulSet): number {
  return set.spec?.replicas ?? 1;
}

export function startOrdinal(set: StatefulSet): number {
  return set.spec?.ordinals?.start ?? 0;
}

export function isInRange(set: StatefulSet, ordinal: number): boolean {
  return ordinal >= startOrdinal(set) && ordinal < startOrdinal(set) + replicasOf(set);
}

export function podName(set: Named, ordinal: number): string {
  return `${set.metadata.name}-${ordinal}`;
}

/** Name of the revision that a Pod was made from; empty for none. */
export function podRevision(pod: Pod): string {
  return pod.metadata.labels?.[REVISION_LABEL] ?? '';
}

export function identityLabels(set: Named, ordinal: number): StringMap {
  return { [POD_NAME_LABEL]: podName(set, ordinal), [POD_INDEX_LABEL]: String(ordinal) };
}

/** The index label does not count: older managers did not set it. */
export function identityMatches(set: StatefulSet, pod: Pod): boolean {
  const { name, labels } = pod.metadata;
  return name === podName(set, ordinalOf(pod)) && labels?.[POD_NAME_LABEL] === name;
}
