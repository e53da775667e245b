import { ownValue, parseGoInteger, parseInt32 } from '#pkg/base';
import type { Pod } from '#pkg/api';

/** Annotation and label with the completion index of a Pod. */
export const INDEX_KEY = 'batch.kubernetes.io/job-completion-index';
/** Annotation: how many Pods of the index failed before this one. */
export const FAILURES_KEY = 'batch.kubernetes.io/job-index-failure-count';
/** Annotation: how many of them did not count, by an Ignore rule of the failure policy. */
export const IGNORED_FAILURES_KEY = 'batch.kubernetes.io/job-index-ignored-failure-count';

/** The Pod's completion index; undefined where it has none that can be read. */
export function indexOf(pod: Pod): number | undefined {
  return natural(pod.metadata.annotations?.[INDEX_KEY]);
}

/** Failures of the index before this Pod that counted. 0 where the annotation was lost or is no such number. */
export const failuresBefore = (pod: Pod): number => count(pod, FAILURES_KEY);

export const ignoredFailuresBefore = (pod: Pod): number => count(pod, IGNORED_FAILURES_KEY);

/** All failures of the index before this Pod: the back-off grows with them. */
export const allFailuresBefore = (pod: Pod): number => failuresBefore(pod) + ignoredFailuresBefore(pod);

function count(pod: Pod, key: string): number {
  return Math.max(0, parseInt32(ownValue(pod.metadata.annotations, key)) ?? 0);
}

function natural(text: string | undefined): number | undefined {
  const value = Number(parseGoInteger(text, 64) ?? -1n);
  return value >= 0 ? value : undefined;
}

/** Lower indexes first, Pods without index before all. */
export function byIndex(a: Pod, b: Pod): number {
  return (indexOf(a) ?? -1) - (indexOf(b) ?? -1);
}

export function indexesOf(pods: readonly Pod[]): ReadonlySet<number> {
  const indexes = new Set<number>();
  for (const pod of pods) {
    const index = indexOf(pod);
    if (index !== undefined) indexes.add(index);
  }
  return indexes;
}
