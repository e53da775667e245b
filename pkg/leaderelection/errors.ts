import { CodedError } from '#pkg/base';

/**
 * - `invalid-config`: the message names the setting
 * - `not-leading`: fenced off, this process does not lead
 * - `lease-expired`: fenced off or unhealthy, the lease ran out without having been renewed
 * - `leadership-lost`: why the signal of `onStartedLeading` aborted
 * - `lock-not-read`: a lock was to be updated that was never read or created
 * - `already-running`: `run` was called while it was running
 */
export type LeaderElectionErrorCode =
  | 'invalid-config'
  | 'not-leading'
  | 'lease-expired'
  | 'leadership-lost'
  | 'lock-not-read'
  | 'already-running';

export class LeaderElectionError extends CodedError<LeaderElectionErrorCode> {
  constructor(code: LeaderElectionErrorCode, message: string, data: object = {}, options?: ErrorOptions) {
    super(code, message, data, options);
  }
}
