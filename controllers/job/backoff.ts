import { type ObjectKey, type Pod, podCondition } from '#pkg/api';
import { parseTime } from '#pkg/base';

import type { ContainerStatus } from './facts.ts';
import { allFailuresBefore } from './pod-index.ts';

/** Of the first replacement, ms; doubled with each further failure. */
const FIRST_BACKOFF = 10_000;
const LONGEST_BACKOFF = 600_000;

/** How a Job's Pods have failed since one last succeeded. */
export interface BackoffRecord {
  readonly failures: number;
  /** ms since the epoch. */
  readonly lastFailure?: number;
}

const CLEAN: BackoffRecord = { failures: 0 };

/** The record after Pods were newly found ended. A success forgives the failures before it. */
export function nextRecord(
  before: BackoffRecord | undefined,
  succeeded: readonly Pod[],
  failed: readonly Pod[],
): BackoffRecord {
  if (succeeded.length === 0 && failed.length === 0) return before ?? CLEAN;
  const lastSuccess = succeeded.length === 0 ? -Infinity : Math.max(...succeeded.map(finishedAt));
  const failures = failed.map(finishedAt).filter((time) => time > lastSuccess || succeeded.length === 0);
  const carried = succeeded.length === 0 ? (before?.failures ?? 0) : 0;
  return failures.length === 0 ? CLEAN : { failures: carried + failures.length, lastFailure: Math.max(...failures) };
}

/** ms until Pods may be created again. */
export function backoffLeft({ failures, lastFailure = 0 }: BackoffRecord, now: number): number {
  if (failures === 0) return 0;
  const backoff = Math.min(FIRST_BACKOFF * 2 ** (failures - 1), LONGEST_BACKOFF);
  return Math.max(0, backoff - (now - lastFailure));
}

/** ms until the index of `lastFailed` may have a Pod again; without one, at once. */
export function backoffLeftOfIndex(lastFailed: Pod | undefined, now: number): number {
  return lastFailed
    ? backoffLeft({ failures: allFailuresBefore(lastFailed) + 1, lastFailure: finishedAt(lastFailed) }, now)
    : 0;
}

/**
 * When a Pod ended, ms since the epoch: when its last container did, when it stopped being ready, when it was told to go,
 * or at worst when it was created (`getFinishedTime` in `pkg/controller/job/backoff_utils.go`).
 */
export function finishedAt(pod: Pod): number {
  const { creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
  const ready = podCondition(pod, 'Ready');
  const candidates = [
    lastContainerEnd(pod),
    ready?.status === 'False' ? parseTime(ready.lastTransitionTime) : Number.NaN,
    parseTime(deletionTimestamp) - deletionGracePeriodSeconds * 1000,
  ];
  return candidates.find((time) => !Number.isNaN(time)) ?? parseTime(creationTimestamp);
}

/** NaN unless all containers, and all sidecars, have ended. */
function lastContainerEnd(pod: Pod): number {
  const sidecars = new Set(
    pod.spec?.initContainers?.filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name),
  );
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const statuses: readonly ContainerStatus[] = [
    ...containerStatuses,
    ...initContainerStatuses.filter(({ name }) => sidecars.has(name)),
  ];
  if (statuses.length === 0) return Number.NaN;
  return Math.max(...statuses.map(({ state }) => parseTime(state?.terminated?.finishedAt)));
}

/** The records of all Jobs. A Job forgotten here may fail anew from the start; nothing else is lost. */
export type BackoffRecords = Map<ObjectKey, BackoffRecord>;
