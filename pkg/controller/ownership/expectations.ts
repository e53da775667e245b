import type { ObjectKey, ResourceType } from '#pkg/api';
import type { Clock } from '#pkg/base';
import type { Logger } from '#pkg/log';

import { logName } from '../objects/log-name.ts';

/** After this long without the awaited events the key is worked on anyway, ms (`ExpectationsTimeout` upstream). */
const TIMEOUT = 5 * 60 * 1000;

interface Expectation {
  creations: number;
  readonly deletions: Set<string>;
  /** Monotonic. */
  readonly since: number;
}

/**
 * What a key's own creations and deletions must still show in the cache before its dependents may be counted again.
 * Without this a second look, at a cache that lags, would create or delete twice.
 *
 * Creations are counted, deletions known by UID, so that a graceful deletion (an update first, the event later) counts
 * once. Expectations expire, for events that never come. Semantics of `UIDTrackingControllerExpectations` in
 * `pkg/controller/controller_utils.go`.
 */
export class Expectations {
  readonly #byKey = new Map<ObjectKey, Expectation>();
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #field: string;

  /** `resource`: what the keys name. */
  constructor(options: { readonly resource: ResourceType; readonly clock: Clock; readonly log: Logger }) {
    this.#field = logName(options.resource);
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Before creating `count` dependents. Replaces what was expected. */
  expectCreations(key: ObjectKey, count: number): void {
    this.#set(key, count, []);
  }

  /** Before deleting the dependents with these UIDs. Replaces what was expected. */
  expectDeletions(key: ObjectKey, uids: Iterable<string>): void {
    this.#set(key, 0, uids);
  }

  /** Before creating `count` dependents and deleting those with these UIDs. Replaces what was expected. */
  expectChanges(key: ObjectKey, count: number, uids: Iterable<string>): void {
    this.#set(key, count, uids);
  }

  /** A creation was seen, or will not happen. */
  creationObserved(key: ObjectKey, count = 1): void {
    const expected = this.#byKey.get(key);
    if (expected) expected.creations -= count;
  }

  /** A deletion was seen (by timestamp or event), or will not happen. Counts once for each UID. */
  deletionObserved(key: ObjectKey, uid: string): void {
    if (this.#byKey.get(key)?.deletions.delete(uid))
      this.#log.v(4)?.info('Expected deletion observed', { [this.#field]: key, uid });
  }

  /** Nothing is awaited any more, or too long: the dependents in the cache may be acted on. */
  satisfied(key: ObjectKey): boolean {
    const expected = this.#byKey.get(key);
    if (!expected) return true;
    if (expected.creations <= 0 && expected.deletions.size === 0) return true;
    const pending = { [this.#field]: key, creations: expected.creations, deletions: expected.deletions.size };
    if (this.#clock.monotonic() - expected.since >= TIMEOUT) {
      this.#log.v(4)?.info('Controller expectations expired', pending);
      return true;
    }
    this.#log.v(4)?.info('Controller still waiting on expectations', pending);
    return false;
  }

  /** How long ago, ms, what the caches do not show yet was begun; undefined where they show everything. */
  pendingFor(key: ObjectKey): number | undefined {
    const expected = this.#byKey.get(key);
    if (!expected || (expected.creations <= 0 && expected.deletions.size === 0)) return undefined;
    return this.#clock.monotonic() - expected.since;
  }

  /** ms until the key's expectations expire, seen or not; undefined where it has none. */
  expiresIn(key: ObjectKey): number | undefined {
    const expected = this.#byKey.get(key);
    return expected && Math.max(0, expected.since + TIMEOUT - this.#clock.monotonic());
  }

  /** The owner is gone. */
  forget(key: ObjectKey): void {
    this.#byKey.delete(key);
  }

  #set(key: ObjectKey, creations: number, uids: Iterable<string>): void {
    const expectation = { creations, deletions: new Set(uids), since: this.#clock.monotonic() };
    this.#log
      .v(4)
      ?.info('Setting expectations', { [this.#field]: key, creations, deletions: expectation.deletions.size });
    this.#byKey.set(key, expectation);
  }
}
