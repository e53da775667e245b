import { formatTime } from '#pkg/base';

import { newCondition, setCondition } from './conditions.ts';
import { type JobStatus, isSuspended, statusOf } from './facts.ts';
import type { Snapshot } from './snapshot.ts';

/** How many Pods there are once the sync has created and deleted. */
export interface Numbers {
  readonly active: number;
  readonly ready: number;
  readonly terminating: number;
}

export interface Draft {
  readonly status: JobStatus;
  /** Something is to be written even if no Pod has ended. */
  readonly changed: boolean;
  /** The Job was suspended or resumed, to be told once it is written. */
  readonly event?: { readonly reason: 'Suspended' | 'Resumed'; readonly message: string };
}

export interface DraftInput {
  readonly snapshot: Snapshot;
  readonly numbers: Numbers;
  /** The Pods were looked after in this sync and the Job goes on: only then is it known to be suspended, or resumed. */
  readonly managed: boolean;
}

/** The status as far as it does not depend on ended Pods: numbers, start time, suspension. */
export function decideDraft({ snapshot, numbers, managed }: DraftInput): Draft {
  const { job, now, gates } = snapshot;
  const before = statusOf(job);
  const { active, ready } = numbers;
  const terminating = gates.reportsTerminating ? numbers.terminating : undefined;
  const started = before.startTime === undefined && !isSuspended(job) ? formatTime(now) : before.startTime;
  const { active: _, startTime: __, terminating: ___, ...rest } = before;
  const status: JobStatus = {
    ...rest,
    ...(active > 0 ? { active } : {}),
    ready,
    ...(terminating === undefined ? {} : { terminating }),
    ...(started === undefined ? {} : { startTime: started }),
    uncountedTerminatedPods: before.uncountedTerminatedPods ?? {},
  };
  const suspension = managed ? withSuspension(status, isSuspended(job), gates.resetsStart, now) : undefined;
  if (suspension) return { ...suspension, changed: true };
  const same = (before.active ?? 0) === active && before.ready === ready && before.terminating === terminating;
  return { status, changed: !same };
}

/** With its event, if that is news. A Job that goes on has its deadline counted anew. */
function withSuspension(
  status: JobStatus,
  suspended: boolean,
  resetsStart: boolean,
  now: number,
): Pick<Draft, 'status' | 'event'> | undefined {
  const message = suspended ? 'Job suspended' : 'Job resumed';
  const condition = newCondition(
    'Suspended',
    suspended ? 'True' : 'False',
    suspended ? 'JobSuspended' : 'JobResumed',
    message,
    now,
  );
  const next = setCondition(status, condition);
  if (next === status) return undefined;
  if (!suspended) return { status: { ...next, startTime: formatTime(now) }, event: { reason: 'Resumed', message } };
  const { startTime: _, ...notStarted } = next;
  return { status: resetsStart ? notStarted : next, event: { reason: 'Suspended', message } };
}
