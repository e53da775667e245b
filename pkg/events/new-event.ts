import type { CoreEvent, NewObject, StringMap } from '#pkg/api';
import { type Random, formatTime } from '#pkg/base';
import type { EventType, ObjectReference } from './types.ts';

/** An event as it is sent; name and namespace are always there. */
export type NewEvent = Omit<NewObject<CoreEvent>, 'metadata'> & {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly annotations?: StringMap };
  readonly count: number;
};

/** Events about one object for one reason that are written as one. */
export interface Occurrences {
  /** The last of them, with the first timestamp of the first. */
  readonly event: NewEvent;
  readonly count: number;
  /** Different messages, at least one, and at most as many as matter. */
  readonly messages: ReadonlySet<string>;
}

export interface EventSource {
  /** `deployment-controller`. */
  readonly component: string;
  /** The node it runs on; controllers leave it out. */
  readonly host?: string;
}

export interface Occurrence {
  readonly about: ObjectReference;
  readonly source: EventSource;
  readonly type: EventType;
  readonly reason: string;
  readonly message: string;
  /** Wall time, ms. */
  readonly time: number;
  readonly annotations?: StringMap;
}

/** A first occurrence, as `makeEvent` of client-go tools/record writes it. */
export function newEvent(occurrence: Occurrence, random: Random): NewEvent {
  const { about, source, time, annotations } = occurrence;
  const timestamp = formatTime(time);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: eventName(about.name ?? '', time, random),
      namespace: about.namespace || 'default',
      ...(annotations === undefined ? {} : { annotations }),
    },
    involvedObject: about,
    reason: occurrence.reason,
    message: occurrence.message,
    source: { component: source.component, ...(source.host ? { host: source.host } : {}) },
    firstTimestamp: timestamp,
    lastTimestamp: timestamp,
    count: 1,
    type: occurrence.type,
    reportingComponent: source.component,
    reportingInstance: source.host ?? '',
  };
}

const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * `<object>.<nanoseconds, hexadecimal>`; a UUID where that is no valid name. The clock ends at milliseconds, so the
 * digits below are random: else two events about one object within a millisecond would have one name, and the second
 * would be refused.
 */
export function eventName(object: string, time: number, random: Random): string {
  const nanoseconds = BigInt(Math.floor(time)) * 1_000_000n + BigInt(Math.floor(random() * 1_000_000));
  const name = `${object}.${nanoseconds.toString(16)}`;
  return name.length <= 253 && DNS_SUBDOMAIN.test(name) ? name : randomUuid(random);
}

function randomUuid(random: Random): string {
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, (place) => {
    const digit = Math.floor(random() * 16);
    return (place === 'x' ? digit : 8 + (digit & 3)).toString(16);
  });
}
