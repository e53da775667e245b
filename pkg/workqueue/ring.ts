/** A first-in first-out buffer that grows by doubling and keeps no reference to what has left it. */
export class Ring<T> {
  #items: (T | undefined)[] = empty<T>(16);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    if (this.#size === this.#items.length) this.#grow();
    this.#items[(this.#head + this.#size) & (this.#items.length - 1)] = item;
    this.#size++;
  }

  /** The oldest item. Ask for `size` first where items may be `undefined`. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.#size--;
    return item;
  }

  /** The length stays a power of two, so that an index wraps by a mask. */
  #grow(): void {
    const old = this.#items;
    const next = empty<T>(old.length * 2);
    for (let i = 0; i < this.#size; i++) next[i] = old[(this.#head + i) & (old.length - 1)];
    this.#items = next;
    this.#head = 0;
  }
}

/** All places exist from the start: V8 keeps the array packed. */
function empty<T>(length: number): (T | undefined)[] {
  return Array.from({ length });
}
