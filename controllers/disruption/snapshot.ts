import type { Pod, PodDisruptionBudget } from '#pkg/api';

export type BudgetStatus = NonNullable<PodDisruptionBudget['status']>;

/** How many Pods the controllers of some Pods want in all. */
export interface ExpectedScale {
  readonly count: number;
  /** Names of Pods without a controller: nobody says how many of them there should be. */
  readonly unmanaged: readonly string[];
}

/** All that a budget's status is decided by. */
export interface Snapshot {
  readonly budget: PodDisruptionBudget;
  /** Pods that the budget selects. */
  readonly pods: readonly Pod[];
  /** Missing where the budget asks for a number of Pods, whatever the scale. */
  readonly scale: ExpectedScale | undefined;
  /** Names of evicted Pods that the cache of Pods may be too old to have. */
  readonly unseen: ReadonlySet<string>;
  /** ms since the epoch. */
  readonly now: number;
}

export interface Report {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}
