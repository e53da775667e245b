import { groupKey } from './correlator.ts';
import type { NewEvent, Occurrences } from './new-event.ts';

/** Events that wait, beyond which new ones are dropped. */
const LONGEST = 1000;
/** Events that wait from which on those of one group go together: more than can be written in half a second or so. */
const CROWDED = 50;
/** Messages of one entry that are told apart. As many make a group of similar events, however many more there are. */
const MOST_MESSAGES = 10;

interface Entry extends Occurrences {
  event: NewEvent;
  count: number;
  readonly messages: Set<string>;
}

/**
 * Events that were recorded and not sent yet. Where they come faster than they are written, one that resembles another
 * that waits joins it, as the correlator of client-go joins them from the tenth on: it is counted, where a full queue
 * would lose it, and costs no request of its own.
 */
export class Backlog {
  readonly #entries: Entry[] = [];
  /** The last entry of each group. */
  readonly #byGroup = new Map<string, Entry>();

  get size(): number {
    return this.#entries.length;
  }

  /** False where the event is dropped, since too many wait. */
  add(event: NewEvent): boolean {
    const group = keyOf(event);
    const waiting = this.size < CROWDED ? undefined : this.#byGroup.get(group);
    if (waiting !== undefined) {
      join(waiting, event);
      return true;
    }
    if (this.size >= LONGEST) return false;
    const entry = { event, count: 1, messages: new Set([event.message ?? '']) };
    this.#entries.push(entry);
    this.#byGroup.set(group, entry);
    return true;
  }

  /** The one that waits longest. */
  peek(): Occurrences | undefined {
    return this.#entries[0];
  }

  take(): Occurrences | undefined {
    const entry = this.#entries.shift();
    if (entry === undefined) return undefined;
    const group = keyOf(entry.event);
    if (this.#byGroup.get(group) === entry) this.#byGroup.delete(group);
    return entry;
  }

  /** Drops all, and answers how many events that were. */
  clear(): number {
    this.#byGroup.clear();
    return this.#entries.splice(0).reduce((sum, { count }) => sum + count, 0);
  }
}

/** Also of one part of the object, which the group of the correlator does not tell apart. */
function keyOf(event: NewEvent): string {
  return `${groupKey(event)}\0${event.involvedObject.fieldPath ?? ''}`;
}

function join(entry: Entry, event: NewEvent): void {
  const { firstTimestamp } = entry.event;
  entry.event = { ...event, firstTimestamp };
  entry.count++;
  if (entry.messages.size < MOST_MESSAGES) entry.messages.add(event.message ?? '');
}
