import { CODE, ProtocolError } from './frames.ts';
import { decodeHuffman } from './huffman.ts';
import { DEFAULT_TABLE_SIZE, ENTRY_OVERHEAD, STATIC_HEADERS } from './static-headers.ts';

/** `flaw`: why it is none, where it is none. It does not concern the table, so the rest of the connection is sound. */
export type Header = readonly [name: string, value: string, flaw?: string];

/** The names of what is not a header but part of a request or an answer begin with a colon. */
const NAME = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** What would end a line of a log or of HTTP/1 (RFC 9113, 8.2.1). */
const ILLEGAL = /[\0\r\n]/;

/** No header that makes sense is longer; and what is shifted together from more bytes would not fit. */
const LARGEST_INTEGER = 2 ** 28;
/** Bytes that all headers of a block may come to, each counted as in a table: a byte of a block can stand for thousands. */
const LARGEST_LIST = 1024 * 1024;

const NOTHING = Buffer.alloc(0);

/** Reads header blocks of one connection, in their order (HPACK, RFC 7541). */
export class HeaderDecoder {
  /** The newest last. */
  readonly #table: Header[] = [];
  #size = 0;
  #capacity = DEFAULT_TABLE_SIZE;
  #bytes: Buffer = NOTHING;
  #at = 0;

  /** The headers of a block, in its order. Throws a {@link ProtocolError}; the connection is of no use then. */
  decode(block: Buffer): readonly Header[] {
    this.#bytes = block;
    this.#at = 0;
    try {
      return this.#headers(block);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new ProtocolError(CODE.COMPRESSION_ERROR, cause.message);
    } finally {
      this.#bytes = NOTHING;
    }
  }

  #headers(block: Buffer): readonly Header[] {
    const headers: Header[] = [];
    let size = 0;
    while (this.#at < block.length) {
      const first = block[this.#at]!;
      if (first >= 0x20 && first < 0x40) {
        if (headers.length > 0) throw new RangeError('a table that is resized within a block');
        this.#resize(this.#integer(5));
        continue;
      }
      // Not indexed, or never to be: to us it is the same.
      const header =
        first >= 0x80
          ? this.#entry(this.#integer(7))
          : first >= 0x40
            ? this.#remember(this.#literal(6))
            : this.#literal(4);
      headers.push(header);
      size += sizeOf(header);
      if (size > LARGEST_LIST) throw new ProtocolError(CODE.ENHANCE_YOUR_CALM, 'more than 1 MiB of headers');
    }
    return headers;
  }

  #entry(index: number): Header {
    const entry =
      index <= STATIC_HEADERS.length
        ? STATIC_HEADERS[index - 1]
        : this.#table[this.#table.length - (index - STATIC_HEADERS.length)];
    if (entry === undefined) throw new RangeError(`a header by number ${index}, of which nothing is known`);
    return entry;
  }

  #literal(prefix: number): Header {
    const index = this.#integer(prefix);
    const known = index === 0 ? undefined : this.#entry(index);
    const name = known === undefined ? this.#text() : known[0];
    const value = this.#text();
    // Looked at here, once, however often it comes again by its number.
    const sound = known !== undefined && known.length === 2;
    if (!sound && !NAME.test(name)) return [name, value, 'the name of a header is none'];
    return ILLEGAL.test(value) ? [name, value, `header ${name} is more than a line`] : [name, value];
  }

  #remember(header: Header): Header {
    this.#table.push(header);
    this.#size += sizeOf(header);
    this.#evict();
    return header;
  }

  #resize(capacity: number): void {
    if (capacity > DEFAULT_TABLE_SIZE)
      throw new RangeError(`a table of ${capacity} bytes, which is more than was allowed`);
    this.#capacity = capacity;
    this.#evict();
  }

  #evict(): void {
    while (this.#size > this.#capacity) this.#size -= sizeOf(this.#table.shift()!);
  }

  #text(): string {
    const huffman = (this.#bytes[this.#at] ?? 0) >= 0x80;
    const length = this.#integer(7);
    const from = this.#at;
    const to = from + length;
    if (to > this.#bytes.length) throw new RangeError('a header that goes beyond its block');
    this.#at = to;
    return huffman ? decodeHuffman(this.#bytes, from, to) : this.#bytes.toString('latin1', from, to);
  }

  /** A number that begins in the last `prefix` bits of the next byte (RFC 7541, 5.1). */
  #integer(prefix: number): number {
    const bytes = this.#bytes;
    if (this.#at >= bytes.length) throw new RangeError('a block that ends within a header');
    const most = (1 << prefix) - 1;
    let value = bytes[this.#at++]! & most;
    if (value < most) return value;
    for (let shift = 0; ; shift += 7) {
      if (this.#at >= bytes.length) throw new RangeError('a block that ends within a number');
      const byte = bytes[this.#at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (value > LARGEST_INTEGER || shift > 28) throw new RangeError('a number beyond any sense');
      if (byte < 0x80) return value;
    }
  }
}

function sizeOf([name, value]: Header): number {
  return name.length + value.length + ENTRY_OVERHEAD;
}
