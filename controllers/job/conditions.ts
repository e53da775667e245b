import { formatTime } from '#pkg/base';

import { type JobCondition, type JobStatus, conditionOf } from './facts.ts';

/** Conditions that end a Job, and the interim ones that say so before its Pods have ended (KEP-4368). */
export type EndingType = 'Complete' | 'Failed' | 'FailureTarget' | 'SuccessCriteriaMet';

export function newCondition(
  type: string,
  status: 'True' | 'False',
  reason: string,
  message: string,
  now: number,
): JobCondition {
  const time = formatTime(now);
  return { type, status, lastProbeTime: time, lastTransitionTime: time, reason, message };
}

/**
 * Sets the condition. One that says the same already stays as it is, with its times; one that is False is not added: from
 * nothing to False is no news. The same object where nothing changed.
 */
export function setCondition(status: JobStatus, condition: JobCondition): JobStatus {
  const known = conditionOf(status, condition.type);
  const conditions = status.conditions ?? [];
  if (!known) return condition.status === 'False' ? status : { ...status, conditions: [...conditions, condition] };
  if (known.status === condition.status && known.reason === condition.reason && known.message === condition.message)
    return status;
  return { ...status, conditions: conditions.map((other) => (other === known ? condition : other)) };
}
