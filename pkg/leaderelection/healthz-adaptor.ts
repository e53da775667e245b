/** A `LeaderElector`. */
export interface CheckedElection {
  check(maxTolerableExpiredLease: number): void;
}

/**
 * Leader election as a health check, which may be set up before the election is. It fails when this process leads and
 * has not renewed its lease for the lease duration and `timeout` on top: then it hangs, and had better be restarted.
 */
export class HealthzAdaptor {
  readonly name = 'leaderElection';
  readonly #timeout: number;
  #elector: CheckedElection | undefined;

  /** `timeout` in ms; 20 s in core components. */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  setLeaderElection(elector: CheckedElection): void {
    this.#elector = elector;
  }

  /** Throws a `LeaderElectionError` when unhealthy. */
  check(): void {
    this.#elector?.check(this.#timeout);
  }
}
