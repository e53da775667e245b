/** How long a node may be missing in the cache before anybody acts on it, ms (`quarantineTime`). */
export const QUARANTINE = 40_000;

/**
 * Nodes that Pods name and that the cache does not have: it may be behind with them. After the quarantine they are to be
 * asked for on the server.
 */
export class LostNodes {
  /** Names that were seen without their node, since the last look; some may be fine. */
  readonly #suspects = new Set<string>();
  /** When the quarantine ends, monotonic ms. */
  readonly #quarantine = new Map<string, number>();

  /** A Pod names the node, or the node is gone. */
  suspect(name: string): void {
    this.#suspects.add(name);
  }

  /** Names whose quarantine is over; those that have come back, or have no Pods any more, are forgotten. */
  due(isLost: (name: string) => boolean, now: number): readonly string[] {
    for (const name of this.#suspects)
      if (isLost(name) && !this.#quarantine.has(name)) this.#quarantine.set(name, now + QUARANTINE);
    this.#suspects.clear();
    for (const name of this.#quarantine.keys()) if (!isLost(name)) this.#quarantine.delete(name);
    return [...this.#quarantine].filter(([, until]) => until <= now).map(([name]) => name);
  }

  /** The server has it: the cache will soon, and if not it is put in quarantine again. */
  found(name: string): void {
    this.#quarantine.delete(name);
    this.#suspects.add(name);
  }
}
