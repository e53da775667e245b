/**
 * Keys in the order in which lists hand them out. Inserting moves memory, which at 100,000 keys costs some
 * microseconds; scanning or sorting would cost milliseconds.
 */
export class SortedKeys {
  readonly #keys: string[] = [];

  get size(): number {
    return this.#keys.length;
  }

  at(index: number): string | undefined {
    return this.#keys[index];
  }

  /** Index of the first key that is not below `key`. */
  lowerBound(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    // The common insertion is at the end of what is there.
    if (high > 0 && this.#keys[high - 1]! < key) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  insert(key: string): void {
    const index = this.lowerBound(key);
    if (this.#keys[index] !== key) this.#keys.splice(index, 0, key);
  }

  remove(key: string): void {
    const index = this.lowerBound(key);
    if (this.#keys[index] === key) this.#keys.splice(index, 1);
  }

  /** First and one-past-last index of the keys of a namespace; of all without one. */
  range(namespace: string | undefined): { from: number; to: number } {
    if (namespace === undefined) return { from: 0, to: this.#keys.length };
    // '0' is the character after '/'.
    return { from: this.lowerBound(`${namespace}/`), to: this.lowerBound(`${namespace}0`) };
  }
}
