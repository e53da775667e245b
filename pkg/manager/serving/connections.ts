/** Open connections at most: with what each may hold, the bound on what strangers can make the process keep. */
const MOST = 1000;

/** What of a socket is needed here; a TLS socket has the same peer as the socket below it. */
interface Connection extends Peer {
  destroy(): unknown;
  once(event: 'close', listener: () => void): unknown;
}

interface Peer {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/**
 * The connections of a server, by when they were last heard from. When there are too many the one that has been silent
 * longest goes, so that who comes new is served, however many connections somebody holds open.
 */
export class Connections {
  /** By peer, silent longest first. */
  readonly #open = new Map<string, Connection>();
  readonly #most: number;

  constructor(most = MOST) {
    this.#most = most;
  }

  get size(): number {
    return this.#open.size;
  }

  add(connection: Connection): void {
    const peer = peerOf(connection);
    this.#open.set(peer, connection);
    connection.once('close', () => {
      if (this.#open.get(peer) === connection) this.#open.delete(peer);
    });
    const [oldest] = this.#open;
    if (this.#open.size <= this.#most || oldest === undefined) return;
    this.#open.delete(oldest[0]);
    oldest[1].destroy();
  }

  heardFrom(peer: Peer): void {
    const key = peerOf(peer);
    const connection = this.#open.get(key);
    if (connection === undefined) return;
    this.#open.delete(key);
    this.#open.set(key, connection);
  }

  destroyAll(): void {
    for (const connection of this.#open.values()) connection.destroy();
  }
}

function peerOf({ remoteAddress = '', remotePort = 0 }: Peer): string {
  return `${remoteAddress} ${remotePort}`;
}
