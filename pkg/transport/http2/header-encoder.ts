import { DEFAULT_TABLE_SIZE, ENTRY_OVERHEAD, STATIC_HEADERS } from './static-headers.ts';

const NAMES = new Map(STATIC_HEADERS.map(([name], i) => [name, i + 1] as const).toReversed());
const ENTRIES = byValue(STATIC_HEADERS.map(([name, value], i) => [name, value, i + 1]));
type Header = readonly [name: string, value: string];

/** Different each time, so that remembering them would only push out what comes again. */
const PASSING = new Set([':path', 'content-length']);
const NAME = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** Characters of which HTTP knows nothing in a value (RFC 9110, 5.5). */
const ILLEGAL = /[^\t\x20-\x7e\x80-\xff]/;

/** Writes header blocks of one connection, in the order in which they are sent (HPACK, RFC 7541). */
export class HeaderEncoder {
  /** Serial numbers of what the peer remembers. */
  readonly #known = byValue([]);
  /** The same, the oldest first. */
  readonly #order: Header[] = [];
  #serial = 0;
  #size = 0;
  #capacity = DEFAULT_TABLE_SIZE;
  /** The smallest capacity since the last block, where it has changed. */
  #resized: number | undefined;
  #bytes: Buffer = Buffer.allocUnsafeSlow(4096);
  #at = 0;

  /** The peer's table may hold so many bytes. */
  allow(capacity: number): void {
    const next = Math.min(capacity, DEFAULT_TABLE_SIZE);
    if (next === this.#capacity) return;
    this.#capacity = next;
    this.#resized = Math.min(next, this.#resized ?? next);
    this.#evict(next);
  }

  /**
   * The block of these headers, names and values in turn; valid until the next call. Throws a RangeError that names a header
   * which cannot be sent.
   */
  encode(headers: readonly string[]): Buffer {
    // Before anything is written: half a block that is not sent would leave the two sides with different tables.
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i]!;
      const value = headers[i + 1]!;
      const values = this.#known.get(name);
      if (values === undefined && !NAMES.has(name) && !NAME.test(name))
        throw new RangeError(`header ${JSON.stringify(name)}: an illegal character in its name`);
      if (values?.has(value) !== true && ILLEGAL.test(value))
        throw new RangeError(`header ${name}: an illegal character in its value`);
    }
    this.#at = 0;
    if (this.#resized !== undefined) {
      if (this.#resized < this.#capacity) this.#integer(0x20, 5, this.#resized);
      this.#integer(0x20, 5, this.#capacity);
      this.#resized = undefined;
    }
    for (let i = 0; i < headers.length; i += 2) this.#header(headers[i]!, headers[i + 1]!);
    return this.#bytes.subarray(0, this.#at);
  }

  #header(name: string, value: string): void {
    const passing = PASSING.has(name);
    const known = passing ? undefined : this.#indexOf(name, value);
    if (known !== undefined) {
      this.#integer(0x80, 7, known);
      return;
    }
    // What fills the table by itself empties it for the others.
    const remembered = !passing && sizeOf(name, value) <= this.#capacity / 2;
    const index = NAMES.get(name) ?? 0;
    this.#integer(remembered ? 0x40 : 0, remembered ? 6 : 4, index);
    if (index === 0) this.#text(name);
    this.#text(value);
    if (remembered) this.#remember(name, value);
  }

  #indexOf(name: string, value: string): number | undefined {
    const serial = this.#known.get(name)?.get(value);
    return serial === undefined ? ENTRIES.get(name)?.get(value) : STATIC_HEADERS.length + this.#serial - serial;
  }

  #remember(name: string, value: string): void {
    const size = sizeOf(name, value);
    this.#evict(this.#capacity - size);
    setIn(this.#known, name, value, this.#serial++);
    this.#order.push([name, value]);
    this.#size += size;
  }

  #evict(down: number): void {
    while (this.#size > down) {
      const [name, value] = this.#order.shift()!;
      this.#known.get(name)!.delete(value);
      this.#size -= sizeOf(name, value);
    }
  }

  #text(text: string): void {
    this.#integer(0, 7, text.length);
    this.#reserve(text.length);
    this.#at += this.#bytes.write(text, this.#at, 'latin1');
  }

  /** `value` in the last `prefix` bits of a byte that begins with `first`, and where it does not fit, in those behind. */
  #integer(first: number, prefix: number, value: number): void {
    this.#reserve(6);
    const most = (1 << prefix) - 1;
    if (value < most) {
      this.#bytes[this.#at++] = first | value;
      return;
    }
    this.#bytes[this.#at++] = first | most;
    let rest = value - most;
    for (; rest >= 0x80; rest >>>= 7) this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#at++] = rest;
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#at + length));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

type ByValue = Map<string, Map<string, number>>;

/** Numbers by name and value. (One text of both would have to be made for each look.) */
function byValue(entries: readonly (readonly [name: string, value: string, number: number])[]): ByValue {
  const all: ByValue = new Map();
  for (const [name, value, number] of entries) setIn(all, name, value, number);
  return all;
}

function setIn(all: ByValue, name: string, value: string, number: number): void {
  let values = all.get(name);
  if (values === undefined) all.set(name, (values = new Map()));
  values.set(value, number);
}

function sizeOf(name: string, value: string): number {
  return name.length + value.length + ENTRY_OVERHEAD;
}
