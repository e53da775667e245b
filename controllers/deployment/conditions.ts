import { formatTime } from '#pkg/base';
import type { DeploymentCondition, DeploymentStatus } from '#pkg/api';

export type ConditionType = 'Available' | 'Progressing' | 'ReplicaFailure';

export function conditionOf(
  status: DeploymentStatus | undefined,
  type: ConditionType,
): DeploymentCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

export function newCondition(
  type: ConditionType,
  status: 'True' | 'False' | 'Unknown',
  reason: string,
  message: string,
  now: number,
): DeploymentCondition {
  const time = formatTime(now);
  return { type, status, lastUpdateTime: time, lastTransitionTime: time, reason, message };
}

/**
 * Sets a condition. One of the same status and reason is left as it is, so that times do not move without news; the
 * transition time moves only with the status.
 */
export function setCondition(status: DeploymentStatus, condition: DeploymentCondition): DeploymentStatus {
  const current = conditionOf(status, condition.type as ConditionType);
  if (current?.status === condition.status && current.reason === condition.reason) return status;
  const transition = current?.status === condition.status ? current.lastTransitionTime : condition.lastTransitionTime;
  const { conditions = [] } = removeCondition(status, condition.type as ConditionType);
  return {
    ...status,
    conditions: [...conditions, { ...condition, ...(transition ? { lastTransitionTime: transition } : {}) }],
  };
}

export function removeCondition(status: DeploymentStatus, type: ConditionType): DeploymentStatus {
  const conditions = status.conditions?.filter((condition) => condition.type !== type);
  return conditions ? { ...status, conditions } : status;
}
