import { CODE, FLAG, ProtocolError, headerBlock } from './frames.ts';
import { type Header, HeaderDecoder } from './header-decoder.ts';

/** Bytes of one block, beyond which the peer is not speaking our language. */
const LARGEST_BLOCK = 1024 * 1024;
/** What a frame of a block costs at least, so that very many small ones are too many as well. */
const FRAME_OVERHEAD = 9;

export interface ReceivedHeaders {
  readonly stream: number;
  /** Nothing comes behind them. */
  readonly last: boolean;
  readonly headers: readonly Header[];
}

/** Puts blocks of headers together from their frames and reads them. Throws {@link ProtocolError}s. */
export class HeaderBlocks {
  readonly #decoder = new HeaderDecoder();
  /** A block of which only the beginning has come; undefined between blocks. */
  #stream: number | undefined;
  #flags = 0;
  #parts: Buffer[] = [];
  #length = 0;

  /** The stream whose block must go on in the next frame. */
  get unfinished(): number | undefined {
    return this.#stream;
  }

  /** A HEADERS frame. Also of a stream that has ended: what comes later refers to it. */
  begin(stream: number, flags: number, payload: Buffer): ReceivedHeaders | undefined {
    const part = headerBlock(flags, payload);
    if ((flags & FLAG.END_HEADERS) !== 0) return this.#read(stream, flags, part);
    this.#stream = stream;
    this.#flags = flags;
    this.#add(part);
    return undefined;
  }

  /** A CONTINUATION frame. */
  resume(stream: number, flags: number, payload: Buffer): ReceivedHeaders | undefined {
    if (stream !== this.#stream) throw new ProtocolError(CODE.PROTOCOL_ERROR, 'headers that go on without a beginning');
    this.#add(payload);
    if ((flags & FLAG.END_HEADERS) === 0) return undefined;
    const block = Buffer.concat(this.#parts);
    this.#stream = undefined;
    this.#parts = [];
    this.#length = 0;
    return this.#read(stream, this.#flags, block);
  }

  #add(part: Buffer): void {
    this.#parts.push(part);
    this.#length += part.length + FRAME_OVERHEAD;
    if (this.#length > LARGEST_BLOCK) throw new ProtocolError(CODE.ENHANCE_YOUR_CALM, 'more than 1 MiB of headers');
  }

  #read(stream: number, flags: number, block: Buffer): ReceivedHeaders {
    return { stream, last: (flags & FLAG.END_STREAM) !== 0, headers: this.#decoder.decode(block) };
  }
}
