import { type Pod, type PodDisruptionBudget, isPodReady, scaledValue } from '#pkg/api';
import { formatTime, parseTime } from '#pkg/base';

import type { BudgetStatus, ExpectedScale, Snapshot } from './snapshot.ts';

/** How long an evicted Pod may take to be seen as deleted, ms; after that it is taken to stay (`DeletionTimeout`). */
export const DELETION_TIMEOUT = 120_000;

type Condition = NonNullable<BudgetStatus['conditions']>[number];

export interface Plan {
  readonly status: BudgetStatus;
  /** Pods whose eviction was let through and that were not deleted all the same. */
  readonly notDeleted: readonly Pod[];
  /** ms until the next eviction under way is given up, if there is one. */
  readonly recheckAfter?: number;
}

/** Whether the budget counts against what the controllers of its Pods want, and not against the Pods that are there. */
export function needsScale({ spec }: PodDisruptionBudget): boolean {
  return isSet(spec?.maxUnavailable) || typeof spec?.minAvailable === 'string';
}

/** The status that the budget's Pods call for (`trySync` in `pkg/controller/disruption`). Throws a RangeError for a share that cannot be read. */
export function decide(snapshot: Snapshot): Plan {
  const { budget, pods, now } = snapshot;
  const { expectedPods, desiredHealthy } = demands(budget, pods.length, snapshot.scale);
  const { underway, notDeleted, recheckAfter } = disruptions(snapshot);
  const currentHealthy = pods.filter((pod) => isHealthy(pod) && !underway.has(pod.metadata.name)).length;
  // While a budget has no Pods none may go, for the first of them may come before this status is written again.
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  const observedGeneration = budget.metadata.generation ?? 0;
  const status: BudgetStatus = {
    currentHealthy,
    desiredHealthy,
    expectedPods,
    disruptionsAllowed,
    observedGeneration,
    ...(underway.size > 0 ? { disruptedPods: Object.fromEntries(underway) } : {}),
    conditions: withVerdict(budget, disruptionsAllowed, observedGeneration, now),
  };
  return { status, notDeleted, ...(recheckAfter === undefined ? {} : { recheckAfter }) };
}

/** The status where it could not be decided: what was known so far, and no disruption allowed (`failSafe`). */
export function failSafe({ status }: PodDisruptionBudget, reason: string, now: number): BudgetStatus {
  const before: BudgetStatus = status ?? {
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
    disruptionsAllowed: 0,
  };
  const condition = {
    status: 'False',
    reason: 'SyncFailed',
    message: reason,
    observedGeneration: before.observedGeneration ?? 0,
  };
  return { ...before, disruptionsAllowed: 0, conditions: withCondition(before.conditions, condition, now) };
}

function isHealthy(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && isPodReady(pod);
}

function isSet(value: number | string | null | undefined): value is number | string {
  return value !== null && value !== undefined;
}

function demands(
  { spec }: PodDisruptionBudget,
  pods: number,
  scale: ExpectedScale | undefined,
): { expectedPods: number; desiredHealthy: number } {
  const expectedPods = scale?.count ?? 0;
  if (isSet(spec?.maxUnavailable)) {
    const unavailable = scaledValue(spec.maxUnavailable, expectedPods, 'up');
    return { expectedPods, desiredHealthy: Math.max(0, expectedPods - unavailable) };
  }
  if (typeof spec?.minAvailable === 'number') return { expectedPods: pods, desiredHealthy: spec.minAvailable };
  if (isSet(spec?.minAvailable))
    return { expectedPods, desiredHealthy: scaledValue(spec.minAvailable, expectedPods, 'up') };
  return { expectedPods: 0, desiredHealthy: 0 };
}

interface Disruptions {
  /** Time of the eviction, by the name of the Pod: those that are still waited for. */
  readonly underway: ReadonlyMap<string, string>;
  readonly notDeleted: readonly Pod[];
  readonly recheckAfter: number | undefined;
}

/**
 * The evictions that the API server let through and that the Pods do not show yet. A Pod that is being deleted, or gone,
 * is off the list; so is one that is neither after the timeout. One that the cache has not got may be too new for it:
 * it stays on the list while the cache is older than the eviction, or it would count as healthy when it does come.
 */
function disruptions({ budget, pods, unseen, now }: Snapshot): Disruptions {
  const listed = Object.entries(budget.status?.disruptedPods ?? {});
  if (listed.length === 0) return { underway: new Map(), notDeleted: [], recheckAfter: undefined };
  const byName = new Map(pods.map((pod) => [pod.metadata.name, pod]));
  const underway = new Map<string, string>();
  const notDeleted: Pod[] = [];
  let recheckAfter: number | undefined;
  for (const [name, time] of listed) {
    const pod = byName.get(name);
    if (pod ? pod.metadata.deletionTimestamp !== undefined : !unseen.has(name)) continue;
    const left = parseTime(time) + DELETION_TIMEOUT - now;
    if (left > 0) {
      underway.set(name, time);
      recheckAfter = Math.min(left, recheckAfter ?? left);
    } else if (pod) notDeleted.push(pod);
  }
  return { underway, notDeleted, recheckAfter };
}

/** The condition that says in a word what `disruptionsAllowed` says in a number (`UpdateDisruptionAllowedCondition` of component-helpers). */
function withVerdict(
  { status }: PodDisruptionBudget,
  disruptionsAllowed: number,
  observedGeneration: number,
  now: number,
): readonly Condition[] {
  const verdict =
    disruptionsAllowed > 0
      ? { status: 'True', reason: 'SufficientPods' }
      : { status: 'False', reason: 'InsufficientPods' };
  return withCondition(status?.conditions, { ...verdict, message: '', observedGeneration }, now);
}

function withCondition(
  conditions: readonly Condition[] = [],
  told: Required<Pick<Condition, 'status' | 'reason' | 'message' | 'observedGeneration'>>,
  now: number,
): readonly Condition[] {
  const type = 'DisruptionAllowed';
  const at = conditions.findIndex((condition) => condition.type === type);
  const before = conditions[at];
  const lastTransitionTime = before?.status === told.status ? before.lastTransitionTime : formatTime(now);
  const { observedGeneration, ...rest } = told;
  const after: Condition = {
    type,
    ...rest,
    lastTransitionTime,
    ...(observedGeneration === 0 ? {} : { observedGeneration }),
  };
  return at < 0 ? [...conditions, after] : conditions.with(at, after);
}
