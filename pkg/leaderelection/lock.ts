/**
 * Says who holds a lock. Times are RFC 3339 with six digits, kept as text: what another manager wrote with microseconds is
 * written back unchanged. They are for people; nobody compares them with a clock.
 */
export interface LeaderElectionRecord {
  /** Empty: nobody holds it, and anybody may take it. */
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  /** How often the holder changed. */
  readonly leaderTransitions: number;
  /** Strategy of coordinated leader election (KEP-4355): kept, never interpreted. */
  readonly strategy?: string;
  readonly preferredHolder?: string;
}

export interface LockCallOptions {
  readonly signal: AbortSignal;
  /** ms */
  readonly timeout: number;
}

/**
 * An object of the API server that carries a record, changed only by compare-and-swap (client-go's `resourcelock.Interface`).
 * `#pkg/testing` has the contract that every implementation keeps.
 *
 * An answer that comes after a call's signal has aborted counts for nothing: were a late one taken for what was read last,
 * a candidate could replace a record that it judged by an older one.
 */
export interface ResourceLock {
  /** Identity of this candidate, unique among all of them. */
  readonly identity: string;
  /** `namespace/name`, for logs. */
  describe(): string;
  /** Undefined where there is no such object. */
  get(options: LockCallOptions): Promise<LeaderElectionRecord | undefined>;
  /** Rejects when the object exists. */
  create(record: LeaderElectionRecord, options: LockCallOptions): Promise<void>;
  /** Replaces the record last read or written by this lock; rejects when somebody else has changed it since. */
  update(record: LeaderElectionRecord, options: LockCallOptions): Promise<void>;
  /** An event about the lock: `<identity> <message>`. */
  recordEvent(message: string): void;
  /**
   * The record as it is, then whenever it changes; undefined when the object is gone. Ends, or throws, whenever it likes:
   * it only makes candidates quicker. A lock without it is polled.
   */
  watch?(signal: AbortSignal): AsyncIterable<LeaderElectionRecord | undefined>;
}

export function sameRecord(a: LeaderElectionRecord | undefined, b: LeaderElectionRecord | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.holderIdentity === b.holderIdentity &&
    a.renewTime === b.renewTime &&
    a.acquireTime === b.acquireTime &&
    a.leaderTransitions === b.leaderTransitions &&
    a.leaseDurationSeconds === b.leaseDurationSeconds &&
    a.strategy === b.strategy &&
    a.preferredHolder === b.preferredHolder
  );
}
