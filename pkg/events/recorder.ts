import type { KubeObject } from '#pkg/api';
import { type Clock, type Random, type Timer, sleep } from '#pkg/base';
import type { Client } from '#pkg/client';
import type { Logger } from '#pkg/log';
import { Backlog } from './backlog.ts';
import { type Correlated, Correlator } from './correlator.ts';
import { Holdback } from './holdback.ts';
import { type EventSource, type Occurrences, newEvent } from './new-event.ts';
import { referenceOf } from './reference.ts';
import { send } from './sink.ts';
import type { EventOptions, EventType, ObjectReference, RunningEventRecorder } from './types.ts';

export interface EventRecorderOptions extends EventSource {
  /** Writes events; must not be fenced if events are to tell of lost leadership. */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** `-v` from which each event is also logged; 3, as controllers have it, where missing. */
  readonly verbosity?: number;
}

/** Attempts to send one event while nobody answers, and the pause between two of them, ms. */
const MOST_TRIES = 12;
const RETRY_PAUSE = 10_000;

export function createEventRecorder(options: EventRecorderOptions): RunningEventRecorder {
  return new Recorder(options);
}

class Recorder implements RunningEventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #log: Logger;
  readonly #correlator: Correlator;
  readonly #holdback: Holdback;
  /** Cancels requests and pauses. */
  readonly #abort = new AbortController();

  readonly #backlog = new Backlog();
  #dropped = 0;
  /** The sending under way, if there is anything to send: one event after another, so that order is kept. */
  #sending: Promise<void> | undefined;
  #holdbackTimer: Timer | undefined;
  /** Wakes the pause before a retry. */
  #pause: AbortController | undefined;
  #flushing = 0;
  #stopped: Promise<void> | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#correlator = new Correlator(options);
    this.#holdback = new Holdback(options.clock);
  }

  event(
    about: KubeObject | ObjectReference,
    type: EventType,
    reason: string,
    message: string,
    extra?: EventOptions,
  ): void {
    try {
      this.#record(about, type, reason, message, extra);
    } catch (error) {
      // What tells of the work must not be what breaks it.
      this.#log.error('Unable to record event', error, { reason, message });
    }
  }

  #record(
    about: KubeObject | ObjectReference,
    type: EventType,
    reason: string,
    message: string,
    extra?: EventOptions,
  ): void {
    const { clock, random } = this.#options;
    const reference = referenceOf(about);
    if (reference === undefined) {
      this.#log.error('Could not construct reference, will not report event', undefined, {
        object: about,
        reason,
        message,
      });
      return;
    }
    this.#log.v(this.#options.verbosity ?? 3)?.info('Event occurred', {
      object: reference.namespace ? `${reference.namespace}/${reference.name}` : (reference.name ?? ''),
      fieldPath: reference.fieldPath ?? '',
      kind: reference.kind,
      apiVersion: reference.apiVersion,
      type,
      reason,
      message,
    });
    if (this.#stopped !== undefined) {
      this.#log.error('Unable to record event (will not retry!): the recorder is stopped', undefined, {
        reason,
        message,
      });
    } else {
      const occurrence = {
        about: reference,
        source: this.#options,
        type,
        reason,
        message,
        time: clock.now(),
        ...extra,
      };
      if (this.#backlog.add(newEvent(occurrence, random))) this.#wake();
      else this.#tellDropped(reason);
    }
  }

  async flush(signal?: AbortSignal): Promise<void> {
    this.#flushing++;
    try {
      this.#wake();
      await orAborted(this.#idle(), signal);
    } finally {
      this.#flushing--;
    }
  }

  stop(signal?: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(signal);
    return this.#stopped;
  }

  async #stop(signal: AbortSignal | undefined): Promise<void> {
    // The event that waits for its next try gets it now, and it is the last one.
    this.#pause?.abort(new Error('the recorder is stopped'));
    const onAbort = (): void => this.#abort.abort(signal?.reason);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    // After this function has returned and `stop` has noted it, so that no later step sees a running recorder.
    await Promise.resolve();
    await this.flush(signal);
    signal?.removeEventListener('abort', onAbort);
    await this.#sending;
    this.#holdbackTimer?.cancel();
    const lost = this.#backlog.clear() + this.#holdback.size;
    if (lost > 0) this.#log.warning('Unable to write events (recorder is stopped)', { count: lost });
  }

  async #idle(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
  }

  /** Starts sending unless it goes on already. */
  #wake(): void {
    if (this.#sending !== undefined || this.#next(false) === undefined) return;
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = undefined;
      this.#armHoldback();
      // What came between the last look and now.
      this.#wake();
    });
  }

  async #sendAll(): Promise<void> {
    // Recording never waits for sending, not even for its synchronous part.
    await Promise.resolve();
    for (let work = this.#next(true); work !== undefined && !this.#abort.signal.aborted; work = this.#next(true)) {
      const correlated = 'update' in work ? work : this.#correlate(work);
      if (correlated !== undefined) await this.#sendWithRetries(correlated);
    }
  }

  /** Held-back counts that are due come first: they are older than anything in the queue. */
  #next(take: boolean): Occurrences | Correlated | undefined {
    if (this.#abort.signal.aborted) return undefined;
    const atOnce = this.#flushing > 0 || this.#stopped !== undefined;
    // While flushing, counts may still go up by what waits in the queue, so that comes first.
    const waits = (): Occurrences | undefined => (take ? this.#backlog.take() : this.#backlog.peek());
    if (atOnce && this.#backlog.size > 0) return waits();
    const due = this.#holdback.due(atOnce, take);
    if (due !== undefined) return { event: due, update: true };
    return waits();
  }

  /** Undefined where there is nothing to send, at least not now. */
  #correlate(occurrences: Occurrences): Correlated | undefined {
    const correlated = this.#correlator.correlate(occurrences);
    if (correlated === undefined) return undefined;
    return correlated.update && this.#holdback.holds(correlated.event) ? undefined : correlated;
  }

  async #sendWithRetries(correlated: Correlated): Promise<void> {
    const { client, clock, random } = this.#options;
    this.#holdback.sent(correlated.event);
    for (let tries = 1; ; tries++) {
      const last = this.#stopped !== undefined;
      const outcome = await send(client, this.#correlator, correlated, this.#log, this.#abort.signal);
      if (outcome === 'done') return;
      if (last || tries >= MOST_TRIES) {
        this.#log.error('Unable to write event (retry limit exceeded!)', undefined, {
          event: `${correlated.event.metadata.namespace}/${correlated.event.metadata.name}`,
        });
        return;
      }
      // Spread at first, so that many recorders do not all come back together.
      const pause = tries === 1 ? RETRY_PAUSE * random() : RETRY_PAUSE;
      if (this.#stopped === undefined) {
        this.#pause = new AbortController();
        await sleep(clock, pause, this.#pause.signal).catch(() => {});
        this.#pause = undefined;
      }
    }
  }

  #armHoldback(): void {
    this.#holdbackTimer?.cancel();
    const wait = this.#abort.signal.aborted ? undefined : this.#holdback.untilDue();
    this.#holdbackTimer = wait === undefined ? undefined : this.#options.clock.setTimeout(() => this.#wake(), wait);
  }

  /** Says so once for each burst, not once for each event: the log must not become the next bottleneck. */
  #tellDropped(reason: string): void {
    if (this.#dropped++ > 0) return;
    this.#log.error('Unable to record event: too many queued events, dropped event', undefined, { reason });
    void this.#tellHowMany();
  }

  async #tellHowMany(): Promise<void> {
    await this.#idle();
    this.#log.warning('Events were dropped because too many were queued', { count: this.#dropped });
    this.#dropped = 0;
  }
}

/** Resolves with the promise or as soon as the signal aborts, whichever is first. */
async function orAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return await promise;
  if (signal.aborted) return;
  let onAbort = (): void => {};
  const aborted = new Promise<void>((resolve) => {
    onAbort = resolve;
    signal.addEventListener('abort', onAbort, { once: true });
  });
  await Promise.race([promise, aborted]);
  signal.removeEventListener('abort', onAbort);
}
