import type { TransportError } from '#pkg/client';

import type { Http2Session } from './http2/http2-session.ts';
import { orAborted } from './or-aborted.ts';

export type OpenSession = (pool: SessionPool) => Promise<Http2Session>;

/**
 * The connections of one lane: one, as long as it has room. A session that drains (GOAWAY, rotated certificate) stays
 * until its streams end, while new ones go to a new connection.
 */
export class SessionPool {
  readonly #open: OpenSession;
  readonly #sessions = new Set<Http2Session>();
  readonly #waiters = new Set<() => void>();
  readonly #most: number;
  #opening: Promise<void> | undefined;

  /** `most` connections at once: more than one helps only where streams last, which is to say watches. */
  constructor(open: OpenSession, most: number) {
    this.#open = open;
    this.#most = most;
  }

  /** A session with one stream reserved: send a request on it. */
  async acquire(signal: AbortSignal | undefined): Promise<Http2Session> {
    for (;;) {
      signal?.throwIfAborted();
      const session = this.#reserve();
      if (session !== undefined) return session;
      if (this.#mayOpen()) {
        await orAborted(this.#openOne(), signal);
        continue;
      }
      await this.#room(signal);
      // Woken and called off in one turn: the room is for who waits next.
      if (signal?.aborted) this.notify();
    }
  }

  /** New streams go to new connections from here on. */
  drain(): void {
    for (const session of this.#sessions) session.drain();
  }

  destroy(error: TransportError): void {
    for (const session of this.#sessions) session.destroy(error);
  }

  /** A stream ended, so there is room for one: whoever waited longest looks again. */
  notify(): void {
    const [first] = this.#waiters;
    first?.();
  }

  /** A session came or went: all who wait look again. */
  notifyAll(): void {
    for (const wake of this.#waiters) wake();
  }

  remove(session: Http2Session): void {
    this.#sessions.delete(session);
    this.notifyAll();
  }

  get size(): number {
    return this.#sessions.size;
  }

  #reserve(): Http2Session | undefined {
    for (const session of this.#sessions) if (session.reserve()) return session;
    return undefined;
  }

  #mayOpen(): boolean {
    let usable = 0;
    for (const session of this.#sessions) if (session.usable) usable++;
    return this.#opening !== undefined || usable < this.#most;
  }

  /** One connection is opened at a time, and everyone who needs one waits for the same. */
  #openOne(): Promise<void> {
    return (this.#opening ??= this.#addSession().finally(() => (this.#opening = undefined)));
  }

  async #addSession(): Promise<void> {
    const session = await this.#open(this);
    if (session.usable) this.#sessions.add(session);
  }

  #room(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#waiters.delete(wake);
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const wake = (): void => end(resolve);
      const onAbort = (): void => end(() => reject(signal?.reason));
      this.#waiters.add(wake);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
