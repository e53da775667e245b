import type { KubeObject } from '#pkg/api';
import { type Clock, type Random, type Timer, jitter } from '#pkg/base';
import type { Logger } from '#pkg/log';

import { Slices } from './slices.ts';
import type { EventHandler, HandlerOptions, HandlerRegistration } from './types.ts';

/** One change, as every handler is told it. */
export type Notification<T extends KubeObject> =
  | { readonly type: 'add'; readonly object: T; readonly initial: boolean }
  | { readonly type: 'update'; readonly old: T; readonly object: T }
  | { readonly type: 'delete'; readonly object: T; readonly unknown: boolean }
  /** Everything of the initial list has been told. */
  | { readonly type: 'synced' };

/** Many objects told one after the other: the cache for a late handler, or a resync. */
interface Replay<T extends KubeObject> {
  readonly type: 'replay';
  readonly objects: readonly T[];
  readonly as: 'add' | 'update';
  next: number;
}

export interface HandlersOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Resync period of handlers that do not ask for another, in milliseconds; 0 for never. */
  readonly defaultResync: number;
  readonly onPanic: (handler: string) => void;
  readonly onQueued: (count: number) => void;
}

const RESYNC_MIN = 1000;
const RESYNC_JITTER = 0.1;
/** Entries told before their place is given back. */
const BACKLOG_TRIM = 1024;

/**
 * Tells any number of handlers of changes, each in order, none disturbed by another. A handler that is up to date is
 * told at once, within the call; one that is being replayed the cache is told in slices, and what happens meanwhile
 * waits in its backlog.
 */
export class Handlers<T extends KubeObject> {
  readonly #options: HandlersOptions;
  /** Replaced rather than changed, so that whoever goes through it is not disturbed. */
  #registrations: readonly Registration<T>[] = [];
  #running = false;
  #count = 0;

  constructor(options: HandlersOptions) {
    this.#options = options;
  }

  /** `cached` is replayed to the handler; `synced`: that is the whole initial list. */
  add(handler: EventHandler<T>, options: HandlerOptions, source: HandlerSource<T>): HandlerRegistration {
    const name = options.name ?? `handler-${this.#count++}`;
    const registration = new Registration(handler, name, this.#options, options.resyncPeriod, source, () => {
      this.#registrations = this.#registrations.filter((one) => one !== registration);
    });
    this.#registrations = [...this.#registrations, registration];
    registration.begin();
    if (this.#running) registration.startResync();
    return registration;
  }

  tell(notification: Notification<T>): void {
    for (const registration of this.#registrations) registration.tell(notification);
  }

  /** Resyncs happen only between `start` and `stop`. */
  start(): void {
    this.#running = true;
    for (const registration of this.#registrations) registration.startResync();
  }

  stop(): void {
    this.#running = false;
    for (const registration of this.#registrations) registration.stopResync();
  }

  /** Resolves when no handler has a backlog. */
  async idle(): Promise<void> {
    await Promise.all(this.#registrations.map((registration) => registration.drained));
  }
}

/** What a handler that joins is replayed. */
export interface HandlerSource<T extends KubeObject> {
  list(): Iterable<T>;
  /** Marks the end of the initial list. */
  hasSynced(): boolean;
}

class Registration<T extends KubeObject> implements HandlerRegistration {
  readonly #handler: EventHandler<T>;
  readonly #name: string;
  readonly #options: HandlersOptions;
  readonly #resyncPeriod: number;
  readonly #source: HandlerSource<T>;
  readonly #onRemove: () => void;
  #backlog: (Notification<T> | Replay<T>)[] = [];
  #timer: Timer | undefined;
  #removed = false;
  #synced = false;
  drained: Promise<void> = Promise.resolve();

  constructor(
    handler: EventHandler<T>,
    name: string,
    options: HandlersOptions,
    resyncPeriod: number | undefined,
    source: HandlerSource<T>,
    onRemove: () => void,
  ) {
    this.#handler = handler;
    this.#name = name;
    this.#options = options;
    this.#source = source;
    this.#onRemove = onRemove;
    const period = resyncPeriod ?? options.defaultResync;
    this.#resyncPeriod = period > 0 ? Math.max(period, RESYNC_MIN) : 0;
  }

  hasSynced(): boolean {
    return this.#synced;
  }

  remove(): void {
    if (this.#removed) return;
    this.#removed = true;
    this.stopResync();
    this.#onRemove();
  }

  /** Replays what is cached already. Later, not now: the caller does not have its registration yet. */
  begin(): void {
    const objects = [...this.#source.list()];
    if (objects.length > 0) this.#enqueue({ type: 'replay', objects, as: 'add', next: 0 });
    if (this.#source.hasSynced()) this.#enqueue({ type: 'synced' });
  }

  tell(notification: Notification<T>): void {
    if (this.#removed) return;
    if (this.#backlog.length > 0) this.#enqueue(notification);
    else this.#deliver(notification);
  }

  startResync(): void {
    if (this.#resyncPeriod === 0 || this.#timer !== undefined || this.#removed) return;
    const delay = jitter(this.#options.random, this.#resyncPeriod, RESYNC_JITTER);
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#resync();
      this.startResync();
    }, delay);
  }

  stopResync(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #resync(): void {
    // Before the first list there is nothing whole to tell, and a handler that is behind gets news first.
    if (!this.#synced || this.#backlog.length > 0) return;
    const objects = [...this.#source.list()];
    if (objects.length > 0) this.#enqueue({ type: 'replay', objects, as: 'update', next: 0 });
  }

  #enqueue(entry: Notification<T> | Replay<T>): void {
    this.#options.onQueued(entry.type === 'replay' ? entry.objects.length : 1);
    if (this.#backlog.push(entry) === 1) this.drained = this.#drain();
  }

  /** An entry leaves the backlog only when it has been told, so that nothing overtakes it. */
  async #drain(): Promise<void> {
    await Promise.resolve();
    const slices = new Slices(this.#options.clock);
    let head = 0;
    let told = 0;
    for (let entry = this.#backlog[head]; entry !== undefined; entry = this.#backlog[head]) {
      if (entry.type !== 'replay') {
        told++;
        if (!this.#removed) this.#deliver(entry);
        head++;
      } else if (this.#removed || entry.next === entry.objects.length) {
        told += entry.objects.length - entry.next;
        head++;
      } else {
        const object = entry.objects[entry.next++]!;
        told++;
        this.#deliver(
          entry.as === 'add' ? { type: 'add', object, initial: true } : { type: 'update', old: object, object },
        );
      }
      if (head === BACKLOG_TRIM) {
        this.#backlog.splice(0, head);
        head = 0;
      }
      if (slices.due()) {
        this.#options.onQueued(-told);
        told = 0;
        await slices.next();
      }
    }
    this.#options.onQueued(-told);
    this.#backlog = [];
  }

  #deliver(notification: Notification<T>): void {
    try {
      const result: unknown = this.#call(notification);
      // An async function fits the handler's type; its rejection must not end the process.
      if (result instanceof Promise) result.catch((error: unknown) => this.#panic(error));
    } catch (error) {
      this.#panic(error);
    }
  }

  #call(notification: Notification<T>): void {
    switch (notification.type) {
      case 'add':
        return this.#handler.onAdd?.(notification.object, notification.initial);
      case 'update':
        return this.#handler.onUpdate?.(notification.old, notification.object);
      case 'delete':
        return this.#handler.onDelete?.(notification.object, notification.unknown);
      case 'synced':
        this.#synced = true;
    }
  }

  #panic(error: unknown): void {
    this.#options.onPanic(this.#name);
    this.#options.log.error('Observed a panic in an event handler', error, { handler: this.#name });
  }
}
