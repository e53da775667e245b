import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

/** Requests under way on an HTTP/1.1 connection at most; no client that is in use sends a second before the first answer. */
const MOST = 100;

type Connection = Pick<Socket, 'destroy' | 'destroyed'>;

/**
 * Cuts off clients that send requests without waiting for answers. Node's server emits each request of what it has read at
 * once, reads on as long as the answers that were made have gone out, and cannot be held back from outside.
 */
export class Pipelines {
  readonly #underWay = new WeakMap<Connection, number>();
  readonly #most: number;

  constructor(most = MOST) {
    this.#most = most;
  }

  /** Counts a request until its response closes; false where it is one too many, and the connection has been closed. */
  admit(connection: Connection, response: Pick<EventEmitter, 'once'>): boolean {
    if (connection.destroyed) return false;
    const count = (this.#underWay.get(connection) ?? 0) + 1;
    if (count > this.#most) {
      connection.destroy();
      return false;
    }
    this.#underWay.set(connection, count);
    response.once('close', () => this.#underWay.set(connection, (this.#underWay.get(connection) ?? 1) - 1));
    return true;
  }
}
