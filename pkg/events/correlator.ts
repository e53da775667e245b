import { hash } from 'node:crypto';

import { type Clock, type Random, formatTime } from '#pkg/base';
import { LruMap } from './lru.ts';
import { type NewEvent, type Occurrences, eventName } from './new-event.ts';

export interface CorrelatorOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Objects, groups and events remembered, each. */
  readonly cacheSize?: number;
  /** From so many different messages of one reason on, they are written as one event. */
  readonly maxSimilar?: number;
  /** A group not seen for so long starts anew, ms. */
  readonly similarInterval?: number;
  /** Events a source may write about one object at once, and how many come back each second. */
  readonly spamBurst?: number;
  readonly spamQps?: number;
}

/** What to send. `update`: the event was written before, under this name, and only its count goes up. */
export interface Correlated {
  readonly event: NewEvent;
  readonly update: boolean;
}

interface Group {
  /** Different ones, fewer than `maxSimilar`, and mostly one: an array is the smallest set. */
  readonly messages: string[];
  /** Monotonic, ms. */
  lastSeen: number;
}

interface Observation {
  readonly count: number;
  readonly firstTimestamp: string | undefined;
  readonly name: string;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

const AGGREGATE_PREFIX = '(combined from similar events): ';

/**
 * Decides what becomes of an event: a new one, a higher count of an old one, part of an aggregate, or nothing. The order
 * of the three stages, their keys and limits are those of client-go tools/record/events_cache.go; so is it that a
 * filtered event is still counted, and shows in the count of the next one let through.
 */
export class Correlator {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #maxSimilar: number;
  readonly #similarInterval: number;
  readonly #spamBurst: number;
  readonly #spamQps: number;
  readonly #groups: LruMap<Group>;
  readonly #observations: LruMap<Observation>;
  readonly #buckets: LruMap<Bucket>;

  constructor(options: CorrelatorOptions) {
    const cacheSize = options.cacheSize ?? 4096;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#maxSimilar = options.maxSimilar ?? 10;
    this.#similarInterval = options.similarInterval ?? 600_000;
    this.#spamBurst = options.spamBurst ?? 25;
    this.#spamQps = options.spamQps ?? 1 / 300;
    this.#groups = new LruMap(cacheSize);
    this.#observations = new LruMap(cacheSize);
    this.#buckets = new LruMap(cacheSize);
  }

  /** Several of different messages are an aggregate, however few. Undefined: too many about this object, write nothing. */
  correlate(occurrences: Occurrences): Correlated | undefined {
    const { event: grouped, key } = this.#aggregate(occurrences);
    const observed = this.#observe(grouped, key, occurrences.count);
    return this.#isSpam(occurrences) ? undefined : observed;
  }

  /** Remembers the event under the name that the server gave it. */
  written(event: NewEvent): void {
    this.#remember(eventKey(event), event);
  }

  #aggregate({ event, messages }: Occurrences): { event: NewEvent; key: string } {
    const key = groupKey(event);
    const now = this.#clock.monotonic();
    let group = this.#groups.get(key);
    if (group === undefined || now - group.lastSeen > this.#similarInterval) group = { messages: [], lastSeen: now };
    for (const message of messages) if (!group.messages.includes(message)) group.messages.push(message);
    group.lastSeen = now;
    this.#groups.set(key, group);
    if (group.messages.length < this.#maxSimilar && messages.size === 1) return { event, key: eventKey(event) };

    // Some leave, so that they stay below their bound; which ones makes no difference but to chance.
    group.messages.splice(0, group.messages.length - this.#maxSimilar + 1);
    return { event: this.#aggregateOf(event), key };
  }

  #aggregateOf(event: NewEvent): NewEvent {
    const time = this.#clock.now();
    const timestamp = formatTime(time);
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: eventName(event.involvedObject.name ?? '', time, this.#random),
        namespace: event.metadata.namespace,
      },
      involvedObject: event.involvedObject,
      reason: event.reason,
      message: AGGREGATE_PREFIX + (event.message ?? ''),
      source: event.source,
      firstTimestamp: timestamp,
      lastTimestamp: timestamp,
      count: 1,
      type: event.type,
      // Not filled in, as upstream leaves them in an aggregate.
      reportingComponent: '',
      reportingInstance: '',
    };
  }

  #observe(event: NewEvent, key: string, count: number): Correlated {
    const known = this.#observations.get(key);
    const counted: NewEvent =
      known === undefined
        ? { ...event, count }
        : {
            ...event,
            metadata: { ...event.metadata, name: known.name },
            firstTimestamp: known.firstTimestamp,
            count: known.count + count,
          };
    this.#remember(key, counted);
    return { event: counted, update: known !== undefined };
  }

  #remember(key: string, event: NewEvent): void {
    this.#observations.set(key, {
      count: event.count,
      firstTimestamp: event.firstTimestamp,
      name: event.metadata.name,
    });
  }

  /** Each event has its price, so that no more get through than would one by one. */
  #isSpam({ event, count }: Occurrences): boolean {
    const key = spamKey(event);
    const now = this.#clock.monotonic();
    const bucket = this.#buckets.get(key) ?? { tokens: this.#spamBurst, filledAt: now };
    bucket.tokens = Math.min(this.#spamBurst, bucket.tokens + ((now - bucket.filledAt) / 1000) * this.#spamQps);
    bucket.filledAt = now;
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) return true;
    bucket.tokens = Math.max(0, bucket.tokens - count);
    return false;
  }
}

/**
 * NUL keeps the parts apart: none of them can contain it. Thousands of keys are remembered, of hundreds of bytes each,
 * and never read again: a digest is as good.
 */
function keyOf(...parts: readonly (string | undefined)[]): string {
  return hash('sha256', parts.map((part) => part ?? '').join('\0'), 'latin1');
}

function sourceAndObject({ source, involvedObject: object, type }: NewEvent): readonly (string | undefined)[] {
  return [
    source?.component,
    source?.host,
    object.kind,
    object.namespace,
    object.name,
    object.uid,
    object.apiVersion,
    type,
  ];
}

function spamKey(event: NewEvent): string {
  return keyOf(...sourceAndObject(event));
}

/** Events of one group differ in their messages only. */
export function groupKey(event: NewEvent): string {
  return keyOf('group', ...sourceAndObject(event), event.reason, event.reportingComponent, event.reportingInstance);
}

function eventKey(event: NewEvent): string {
  return keyOf('event', ...sourceAndObject(event), event.involvedObject.fieldPath, event.reason, event.message);
}
