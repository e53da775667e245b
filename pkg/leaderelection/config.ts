import type { Clock, Random } from '#pkg/base';
import type { Logger } from '#pkg/log';
import type { Metrics } from '#pkg/metrics';
import { LeaderElectionError } from './errors.ts';
import type { HealthzAdaptor } from './healthz-adaptor.ts';
import type { ResourceLock } from './lock.ts';
import { JITTER_FACTOR, type Rules } from './step.ts';

export interface LeaderCallbacks {
  /**
   * Runs the guarded work; `signal` aborts when it must end. A promise says when it has ended: after `run` was asked to
   * end, the lease is renewed until then, and only then released. If it rejects, the elector leaves and `run` rejects.
   */
  readonly onStartedLeading: (signal: AbortSignal) => void | Promise<void>;
  /** At the end of `run`, also where this process never led. */
  readonly onStoppedLeading: () => void;
  /** A leader other than the one last seen, the first one and this process itself included. */
  readonly onNewLeader?: (identity: string) => void;
}

/** Durations are in milliseconds. */
export interface LeaderElectionConfig {
  readonly lock: ResourceLock;
  /** How long others wait after the last renewal they saw. Whole seconds are written. 15 s in core components. */
  readonly leaseDuration: number;
  /** How long the leader tries to renew before it gives up. 10 s in core components. */
  readonly renewDeadline: number;
  /** Between tries. 2 s in core components. */
  readonly retryPeriod: number;
  readonly callbacks: LeaderCallbacks;
  /** Give the lease back at the end of `run`, so that the next leader need not wait for its expiry. */
  readonly releaseOnCancel?: boolean;
  /** The label of its metrics and part of its health message. */
  readonly name?: string;
  readonly watchDog?: HealthzAdaptor;
  /**
   * How much faster the fastest clock of all candidates may run than the slowest: 0.01 is one percent, twenty times what
   * NTP slews. By so much earlier does a leader stop acting than others may take over.
   */
  readonly maxClockDrift?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics?: Metrics;
}

/** Throws with the messages of client-go's `NewLeaderElector`, in its order. */
export function validate(config: LeaderElectionConfig): void {
  const { leaseDuration, renewDeadline, retryPeriod, maxClockDrift = 0 } = config;
  const problems: readonly (readonly [boolean, string])[] = [
    [leaseDuration <= renewDeadline, 'leaseDuration must be greater than renewDeadline'],
    [renewDeadline <= JITTER_FACTOR * retryPeriod, 'renewDeadline must be greater than retryPeriod*JitterFactor'],
    [leaseDuration <= 0, 'leaseDuration must be greater than zero'],
    [renewDeadline <= 0, 'renewDeadline must be greater than zero'],
    [retryPeriod <= 0, 'retryPeriod must be greater than zero'],
    [config.lock.identity === '', 'Lock identity is empty'],
    [maxClockDrift < 0 || maxClockDrift >= 1, 'maxClockDrift must be at least zero and less than one'],
  ];
  const problem = problems.find(([holds]) => holds)?.[1];
  if (problem !== undefined) throw new LeaderElectionError('invalid-config', problem);
}

export function rulesOf(config: LeaderElectionConfig): Rules {
  // The API server takes whole seconds from one on, and others go by what is written.
  const leaseDurationSeconds = Math.max(1, Math.floor(config.leaseDuration / 1000));
  return {
    identity: config.lock.identity,
    leaseDurationSeconds,
    term: Math.min(config.leaseDuration, leaseDurationSeconds * 1000) * (1 - (config.maxClockDrift ?? 0.01)),
    renewDeadline: config.renewDeadline,
    retryPeriod: config.retryPeriod,
    release: config.releaseOnCancel ?? false,
    random: config.random,
  };
}
