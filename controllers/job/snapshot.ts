import type { Job, Pod } from '#pkg/api';

import type { BackoffRecord } from './backoff.ts';
import type { JobGates } from './gates.ts';

/** All that a sync decides by. */
export interface Snapshot {
  readonly job: Job;
  /** Every Pod that the Job manages, ended ones included; those adopted just now carry the finalizer already. */
  readonly pods: readonly Pod[];
  /** UIDs of Pods whose finalizer was taken off, though the cache may still show it. */
  readonly released: ReadonlySet<string>;
  /** The cache shows all Pods that were created and deleted before, so that they may be counted. */
  readonly complete: boolean;
  readonly backoff: BackoffRecord | undefined;
  /** Name of the PodGroup that its Pods are scheduled in. */
  readonly podGroup?: string;
  readonly gates: Pick<JobGates, 'interim' | 'reportsTerminating' | 'resetsStart'>;
  /** ms since the epoch. */
  readonly now: number;
}
