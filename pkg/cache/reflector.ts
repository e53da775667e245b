import { ApiError, type KubeObject, type WatchEvent } from '#pkg/api';
import { type Clock, type Random, describeError, sleep } from '#pkg/base';
import type { ResourceClient, WatchOptions } from '#pkg/client';
import type { Logger } from '#pkg/log';

import { classify } from './failures.ts';
import { type Position, type ReflectorInput, type ReflectorState, initialState, step } from './reflector-state.ts';
import { Slices } from './slices.ts';

/** What a reflector fills. Calls never overlap. */
export interface ReflectorTarget<T extends KubeObject> {
  /** What it has of an object, if anything. */
  known?(name: string, namespace: string | undefined): T | undefined;
  /**
   * A whole list begins; whatever was gathered of one that broke off is void. `wentBack`: the server may have given the
   * same versions to other content.
   */
  begin(wentBack: boolean): void;
  gather(object: T): void;
  /** What was gathered since `begin` is the whole collection. Rejects with the signal's reason when it aborts. */
  replace(resourceVersion: string, signal: AbortSignal): Promise<void>;
  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void;
  /** Everything up to `resourceVersion` has been applied. Returns how far that is, should it have been further already. */
  advance(resourceVersion: string): string;
}

/** For metrics; each call is one request sent, one sign of life, or one failure. */
export interface ReflectorObserver {
  requested(kind: 'list' | 'stream' | 'watch'): void;
  contacted(): void;
  failed(reason: string): void;
}

export interface ReflectorOptions<T extends KubeObject> {
  /** In logs: `pods`, `deployments.apps`. */
  readonly name: string;
  readonly client: Pick<ResourceClient<T>, 'list' | 'watch'>;
  readonly target: ReflectorTarget<T>;
  /** What every list and watch asks for: namespace, selectors, and how much of the objects. */
  readonly scope: Pick<WatchOptions, 'namespace' | 'labelSelector' | 'fieldSelector' | 'metadataOnly' | 'keep'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly observer: ReflectorObserver;
}

const PAGE_SIZE = 500;
/** Random, so that the watches of a restarted server do not all end together (client-go: 5 to 10 minutes). */
const WATCH_SECONDS_MIN = 300;
/** The server ends a watch itself; one that lives on for longer after that is on a dead connection. */
const WATCH_GRACE = 30_000;
/** A server that streams a list sends object after object; this long a silence before the end is not one. */
const STREAM_SILENCE = 30_000;
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** Keeps `target` equal to the server's collection until `signal` aborts. Never rejects, never gives up. */
export async function reflect<T extends KubeObject>(
  options: ReflectorOptions<T>,
  signal: AbortSignal,
  from = '',
): Promise<void> {
  const { log, name } = options;
  log.v(3)?.info('Starting reflector', { type: name });
  try {
    await new Reflector(options, signal, from).run();
  } finally {
    log.v(3)?.info('Stopping reflector', { type: name });
  }
}

class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #signal: AbortSignal;
  readonly #slices: Slices;
  #state: ReflectorState;
  /** When the watch under way was asked for, on the monotonic clock. */
  #watchedSince = 0;

  constructor(options: ReflectorOptions<T>, signal: AbortSignal, from: string) {
    this.#options = options;
    this.#signal = signal;
    this.#slices = new Slices(options.clock);
    this.#state = initialState(from);
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      const { position } = this.#state;
      try {
        if (position.at === 'waiting') await this.#wait(position.delay);
        else if (position.at === 'listing') await this.#listPage(position);
        else await this.#watch(position);
      } catch (error) {
        if (this.#signal.aborted) return;
        this.#fail(error, position.at);
      }
      // However the protocol errs, a turn of this loop never holds the others up.
      if (this.#slices.due()) await this.#slices.next();
    }
  }

  #step(input: ReflectorInput): void {
    const { clock, random } = this.#options;
    this.#state = step(this.#state, input, { now: clock.monotonic(), random: random() });
  }

  async #wait(delay: number): Promise<void> {
    await sleep(this.#options.clock, delay, this.#signal);
    this.#step({ type: 'waited' });
  }

  async #listPage(position: Position & { at: 'listing' }): Promise<void> {
    const { client, target, scope, observer } = this.#options;
    if (position.continue === '') target.begin(this.#state.wentBack);
    observer.requested('list');
    const page = await client.list({
      ...scope,
      ...(position.whole ? {} : { limit: PAGE_SIZE }),
      ...(position.continue === '' ? {} : { continue: position.continue }),
      dropManagedFields: true,
      signal: this.#signal,
    });
    observer.contacted();
    // Go writes an empty list as null.
    for (const object of page.items ?? []) {
      target.gather(object);
      if (this.#slices.due()) await this.#slices.next();
    }
    const { resourceVersion, continue: token } = page.metadata;
    if (!token) await this.#replace(resourceVersion);
    this.#step({ type: 'page', resourceVersion, ...(token ? { continue: token } : {}) });
  }

  async #replace(resourceVersion: string): Promise<void> {
    const { target, log, name } = this.#options;
    await target.replace(resourceVersion, this.#signal);
    log.v(2)?.info('Caches populated', { type: name, resourceVersion });
  }

  async #watch(position: Position & { at: 'streaming' | 'watching' }): Promise<void> {
    const { client, clock, random, target, scope, observer, log, name } = this.#options;
    const streaming = position.at === 'streaming';
    const timeoutSeconds = Math.floor(WATCH_SECONDS_MIN * (1 + random()));
    if (streaming) target.begin(this.#state.wentBack);
    observer.requested(streaming ? 'stream' : 'watch');
    const from = streaming ? position.from : this.#state.resourceVersion;
    using guard = new WatchGuard(
      clock,
      this.#signal,
      timeoutSeconds * 1000 + WATCH_GRACE,
      () => this.#state.position.at === 'streaming',
    );
    this.#watchedSince = clock.monotonic();
    const events = client.watch({
      ...scope,
      ...(from === '' ? {} : { resourceVersion: from }),
      ...(streaming ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' as const } : {}),
      allowWatchBookmarks: true,
      timeoutSeconds,
      dropManagedFields: true,
      ...(target.known ? { known: target.known.bind(target) } : {}),
      signal: guard.signal,
    });
    try {
      for await (const event of events) {
        guard.heard();
        observer.contacted();
        const handling = this.#handle(event);
        if (handling !== undefined) await handling;
        if (this.#slices.due()) await this.#slices.next();
      }
    } catch (error) {
      if (!guard.stalled || this.#signal.aborted) throw error;
    }
    if (this.#signal.aborted) return;
    if (guard.stalled) {
      log.warning('Watch fell silent', { type: name, during: this.#state.position.at });
      observer.failed('stalled');
      this.#step({ type: 'stalled' });
      return;
    }
    const lasted = clock.monotonic() - this.#watchedSince;
    log.v(4)?.info('Watch closed', { type: name, lasted, during: this.#state.position.at });
    this.#step({ type: 'ended', lasted });
  }

  /** A promise only where there is something to wait for: most events are news, and done with at once. */
  #handle(event: WatchEvent<T>): Promise<void> | undefined {
    const { target, log, name } = this.#options;
    if (event.type === 'ERROR') throw new ApiError(event.object);
    const resourceVersion = event.object?.metadata?.resourceVersion;
    if (typeof resourceVersion !== 'string') {
      log.error('Unable to understand watch event', undefined, { type: name, event: event.type });
      return undefined;
    }
    const streaming = this.#state.position.at === 'streaming';
    switch (event.type) {
      case 'ADDED':
        if (streaming) {
          target.gather(event.object);
          return undefined;
        }
        target.apply(event.type, event.object);
        break;
      case 'MODIFIED':
      case 'DELETED':
        // Before the end of the initial events there are only additions; anything else is not the protocol.
        if (streaming) throw new TypeError(`watch event ${event.type} among the initial events`);
        target.apply(event.type, event.object);
        break;
      case 'BOOKMARK':
        if (!streaming) break;
        if (event.object.metadata.annotations?.[INITIAL_EVENTS_END] !== 'true') return undefined;
        return this.#replace(resourceVersion).then(() => this.#step({ type: 'initial-events-end', resourceVersion }));
      default:
        log.error('Unknown watch event', undefined, { type: name, event: (event as { type: unknown }).type });
        return undefined;
    }
    this.#step({ type: 'progress', resourceVersion: target.advance(resourceVersion) });
    return undefined;
  }

  #fail(error: unknown, during: Position['at']): void {
    const { log, name, observer, clock } = this.#options;
    const { kind, retryAfter } = classify(error);
    const lasted = during === 'watching' ? clock.monotonic() - this.#watchedSince : 0;
    observer.failed(kind);
    const canStream = this.#state.canStream;
    this.#step({ type: 'failed', kind, lasted, ...(retryAfter === undefined ? {} : { retryAfter }) });
    const { position } = this.#state;
    const fields = { type: name, during, delay: position.at === 'waiting' ? Math.round(position.delay) : 0 };
    if (position.at === 'watching')
      log.v(2)?.info('Watch broke off, resuming', { type: name, lasted, err: describeError(error) });
    else if (kind === 'expired') log.v(4)?.info('Resource version expired, listing again', fields);
    else if (canStream && !this.#state.canStream)
      log.v(4)?.info('The server does not stream lists, listing in pages', fields);
    else if (kind === 'throttled') log.v(2)?.info('API server is throttling requests', fields);
    else
      log.error(during === 'listing' || during === 'streaming' ? 'Failed to list' : 'Failed to watch', error, fields);
  }
}

/** Ends a watch when the reflector stops, when it outlives its time, and when its list stays silent. */
class WatchGuard {
  readonly #clock: Clock;
  readonly #parent: AbortSignal;
  readonly #own = new AbortController();
  readonly #end: number;
  readonly #streaming: () => boolean;
  readonly #onAbort = (): void => this.#own.abort(this.#parent.reason);
  #lastHeard: number;
  #timer: { cancel(): void };
  stalled = false;

  constructor(clock: Clock, parent: AbortSignal, lifetime: number, streaming: () => boolean) {
    this.#clock = clock;
    this.#parent = parent;
    this.#streaming = streaming;
    this.#lastHeard = clock.monotonic();
    this.#end = this.#lastHeard + lifetime;
    this.#timer = this.#arm();
    if (parent.aborted) this.#onAbort();
    else parent.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  /** One timer for the whole watch: events only note the time, and it sets itself again when it comes too early. */
  heard(): void {
    this.#lastHeard = this.#clock.monotonic();
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
    this.#parent.removeEventListener('abort', this.#onAbort);
  }

  #arm(): { cancel(): void } {
    const due = this.#streaming() ? Math.min(this.#lastHeard + STREAM_SILENCE, this.#end) : this.#end;
    return this.#clock.setTimeout(() => this.#check(), Math.max(0, due - this.#clock.monotonic()));
  }

  #check(): void {
    const now = this.#clock.monotonic();
    if (now >= this.#end || (this.#streaming() && now - this.#lastHeard >= STREAM_SILENCE)) {
      this.stalled = true;
      this.#own.abort(new Error('the watch fell silent'));
    } else {
      this.#timer = this.#arm();
    }
  }
}
