import type { Clock } from '#pkg/base';
import { LruMap } from './lru.ts';
import type { NewEvent } from './new-event.ts';

/** Repetitions of one event that follow its last write, or one another, within this time go as one write, ms. */
const INTERVAL = 1000;

/**
 * Keeps the count of an event back for a moment after it was written, so that a burst of repetitions costs one write
 * with the last count instead of one write each. What is held back always gets sent.
 */
export class Holdback {
  readonly #clock: Clock;
  /** When each event was last sent, monotonic. Forgetting one costs a write, not an event. */
  readonly #lastSent = new LruMap<number>(4096);
  /** In the order of their due times, since every one waits equally long. */
  readonly #held = new Map<string, { event: NewEvent; readonly dueAt: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Takes the event if it was sent a moment ago, in place of an earlier count of it. */
  holds(event: NewEvent): boolean {
    const key = keyOf(event);
    const held = this.#held.get(key);
    if (held !== undefined) {
      held.event = event;
      return true;
    }
    const now = this.#clock.monotonic();
    const lastSent = this.#lastSent.get(key);
    if (lastSent === undefined || now - lastSent >= INTERVAL) return false;
    this.#held.set(key, { event, dueAt: now + INTERVAL });
    return true;
  }

  sent(event: NewEvent): void {
    this.#lastSent.set(keyOf(event), this.#clock.monotonic());
  }

  /** The first event whose time has come, or simply the first one if `atOnce`; `take` removes it. */
  due(atOnce: boolean, take: boolean): NewEvent | undefined {
    const [first] = this.#held;
    if (first === undefined) return undefined;
    const [key, { event, dueAt }] = first;
    if (!atOnce && dueAt > this.#clock.monotonic()) return undefined;
    if (take) this.#held.delete(key);
    return event;
  }

  /** Milliseconds until an event is due. */
  untilDue(): number | undefined {
    const [first] = this.#held.values();
    return first === undefined ? undefined : Math.max(0, Math.ceil(first.dueAt - this.#clock.monotonic()));
  }
}

function keyOf(event: NewEvent): string {
  return `${event.metadata.namespace}/${event.metadata.name}`;
}
