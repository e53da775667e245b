import { type Lease, isNotFound, resources } from '#pkg/api';
import { type Clock, describeError, isAbort, sleep } from '#pkg/base';
import type { Client } from '#pkg/client';
import type { Logger } from '#pkg/log';

import { WELL_KNOWN_LEASE } from './well-known-lease.ts';

/** What has been seen of the lease of another manager. Times are of the local monotonic clock, in milliseconds. */
export interface Sighting {
  /** The holder's identity; empty where nobody holds the lease. */
  readonly holder: string;
  /** All that a renewal changes. */
  readonly record: string;
  /** When `record` was first seen. */
  readonly since: number;
  /** How long the holder has from each renewal on. */
  readonly duration: number;
  /** A renewal has been seen: the record changed while it was being watched. */
  readonly renewed: boolean;
}

/** `unknown` until a renewal is seen or the lease has run out; `free` is released, expired or not there. */
export type Verdict = 'free' | 'unknown' | 'live';

/** Adds what was read at `now`. As an elector does, it compares no clocks: only a change of the record counts. */
export function observe(before: Sighting | undefined, lease: Lease | undefined, now: number): Sighting {
  const { holderIdentity, leaseDurationSeconds, renewTime, acquireTime } = lease?.spec ?? {};
  const holder = holderIdentity ?? '';
  const record = holder === '' ? '' : JSON.stringify([lease?.metadata.uid, holder, acquireTime, renewTime]);
  if (before?.record === record) return before;
  return {
    holder,
    record,
    since: now,
    duration: (leaseDurationSeconds ?? 15) * 1000,
    renewed: before !== undefined && holder !== '',
  };
}

export function verdictOf({ holder, since, duration, renewed }: Sighting, now: number): Verdict {
  if (holder === '' || now - since >= duration) return 'free';
  return renewed ? 'live' : 'unknown';
}

export interface OtherManagerOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  /** Between two looks at the lease, in milliseconds. */
  readonly period: number;
  /** Called once for each other holder that is alive. */
  readonly onLive: (holder: string) => void;
}

/** Watches the well-known lease on behalf of a manager that holds another one: one GET each period. */
export class OtherManager {
  readonly #options: OtherManagerOptions;
  #sighting: Sighting | undefined;
  #reported: string | undefined;
  #failure: string | undefined;

  constructor(options: OtherManagerOptions) {
    this.#options = options;
  }

  /** Resolves when nobody holds the lease, or whoever did has let it run out. Rejects when the signal aborts. */
  async gone(signal: AbortSignal): Promise<void> {
    while ((await this.#look(signal)) !== 'free') await this.#pause(signal);
  }

  /** Resolves with the holder's identity when somebody else is seen to take or renew the lease. */
  async appears(signal: AbortSignal): Promise<string> {
    do await this.#pause(signal);
    while ((await this.#look(signal)) !== 'live');
    return this.#sighting!.holder;
  }

  #pause(signal: AbortSignal): Promise<void> {
    return sleep(this.#options.clock, this.#options.period, signal);
  }

  async #look(signal: AbortSignal): Promise<Verdict> {
    const { client, clock, period, onLive } = this.#options;
    try {
      const lease = await client
        .resource(resources.leases)
        .get(WELL_KNOWN_LEASE, { signal, lane: 'lease', timeout: Math.max(1000, period * 2) })
        .catch(absent);
      this.#failure = undefined;
      this.#sighting = observe(this.#sighting, lease, clock.monotonic());
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      this.#reportFailure(error);
      return 'unknown';
    }
    const verdict = verdictOf(this.#sighting, clock.monotonic());
    if (verdict === 'live' && this.#reported !== this.#sighting.holder) {
      this.#reported = this.#sighting.holder;
      onLive(this.#sighting.holder);
    }
    return verdict;
  }

  /** Not once a period, but whenever it is another failure. */
  #reportFailure(error: unknown): void {
    const message = describeError(error);
    if (this.#failure === message) return;
    this.#failure = message;
    this.#options.log.error('Cannot see whether another kube-controller-manager is at work', error, {
      lease: `${WELL_KNOWN_LEASE.namespace}/${WELL_KNOWN_LEASE.name}`,
      remedy: 'allow "get" on this lease',
    });
  }
}

function absent(error: unknown): undefined {
  if (isNotFound(error)) return undefined;
  throw error;
}
