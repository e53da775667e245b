import { type DaemonSet, scaledValue } from '#pkg/api';

/** How a DaemonSet is updated. Percentages are of the nodes that should run a Pod, and round up. */
export interface Strategy {
  /** New Pods are made only where the old ones were deleted by someone else. */
  readonly onDelete: boolean;
  /** A node may have two Pods while one takes over. */
  readonly surges: boolean;
  maxSurge(desired: number): number;
  maxUnavailable(desired: number): number;
}

export function strategyOf({ spec }: DaemonSet): Strategy {
  const { type, rollingUpdate } = spec?.updateStrategy ?? {};
  const rolling = type === 'RollingUpdate' ? rollingUpdate : undefined;
  const maxSurge = (desired: number): number =>
    rolling?.maxSurge === undefined ? 0 : scaledValue(rolling.maxSurge, desired, 'up');
  const maxUnavailable = (desired: number): number =>
    rolling?.maxUnavailable === undefined ? 0 : scaledValue(rolling.maxUnavailable, desired, 'up');
  return { onDelete: type !== 'RollingUpdate', surges: allowsSurge(maxSurge), maxSurge, maxUnavailable };
}

/** A value that cannot be read allows none. */
function allowsSurge(maxSurge: (desired: number) => number): boolean {
  try {
    return maxSurge(1) > 0;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
