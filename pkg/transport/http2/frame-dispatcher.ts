import { CODE, FLAG, FRAME, LARGEST_WINDOW, ProtocolError, withoutPadding } from './frames.ts';
import { HeaderBlocks, type ReceivedHeaders } from './header-blocks.ts';

/** What frames say, to who acts upon it. */
export interface FrameTaker {
  /** No request was ever sent with this id. */
  isUnused(stream: number): boolean;
  onHeaders(received: ReceivedHeaders): void;
  /** `size`: what the bytes count for windows. */
  onData(stream: number, bytes: Buffer, size: number, last: boolean): void;
  onReset(stream: number, code: number): void;
  onSettings(settings: readonly Setting[]): void;
  onPing(content: Buffer): void;
  onPong(content: Buffer): void;
  /** Streams beyond `last` have not been looked at. */
  onGoAway(last: number, code: number): void;
  /** `stream` is 0 for the connection. */
  onWindow(stream: number, more: number): void;
}

export type Setting = readonly [id: number, value: number];

/** Reads the frames of one connection: what may come when, on which stream, of which size. Throws {@link ProtocolError}s. */
export class FrameDispatcher {
  readonly #taker: FrameTaker;
  readonly #blocks = new HeaderBlocks();
  /** The peer has said its settings, which come first. */
  #greeted = false;

  constructor(taker: FrameTaker) {
    this.#taker = taker;
  }

  take(type: number, flags: number, id: number, payload: Buffer): void {
    if (!this.#greeted && (type !== FRAME.SETTINGS || (flags & FLAG.ACK) !== 0))
      throw new ProtocolError(CODE.PROTOCOL_ERROR, 'no HTTP/2 settings at its beginning');
    if (this.#blocks.unfinished !== undefined && (type !== FRAME.CONTINUATION || id !== this.#blocks.unfinished)) {
      throw new ProtocolError(CODE.PROTOCOL_ERROR, 'a frame within a block of headers');
    }
    switch (type) {
      case FRAME.DATA:
        this.#checkStream(id);
        this.#taker.onData(id, withoutPadding(flags, payload), payload.length, (flags & FLAG.END_STREAM) !== 0);
        return;
      case FRAME.HEADERS:
        this.#checkStream(id);
        this.#onHeaders(this.#blocks.begin(id, flags, payload));
        return;
      case FRAME.CONTINUATION:
        this.#onHeaders(this.#blocks.resume(id, flags, payload));
        return;
      case FRAME.RST_STREAM:
        this.#checkStream(id);
        checkSize(payload, 4);
        this.#taker.onReset(id, payload.readUInt32BE());
        return;
      case FRAME.SETTINGS:
        checkConnection(id);
        this.#onSettings(flags, payload);
        return;
      case FRAME.PING:
        checkConnection(id);
        checkSize(payload, 8);
        if ((flags & FLAG.ACK) === 0) this.#taker.onPing(payload);
        else this.#taker.onPong(payload);
        return;
      case FRAME.GOAWAY:
        checkConnection(id);
        if (payload.length < 8) throw new ProtocolError(CODE.FRAME_SIZE_ERROR, 'a farewell of the wrong size');
        this.#taker.onGoAway(payload.readUInt32BE() & LARGEST_WINDOW, payload.readUInt32BE(4));
        return;
      case FRAME.WINDOW_UPDATE:
        if (id !== 0) this.#checkStream(id);
        checkSize(payload, 4);
        this.#taker.onWindow(id, payload.readUInt32BE() & LARGEST_WINDOW);
        return;
      case FRAME.PUSH_PROMISE:
        throw new ProtocolError(CODE.PROTOCOL_ERROR, 'an answer that nobody asked for');
      default:
      // Extensions are to be ignored, priorities mean nothing to a client.
    }
  }

  /** Frames of streams that are over are what was under way when they ended; of others there can be none. */
  #checkStream(id: number): void {
    if (this.#taker.isUnused(id))
      throw new ProtocolError(CODE.PROTOCOL_ERROR, `a frame of stream ${id}, which was never opened`);
  }

  #onHeaders(received: ReceivedHeaders | undefined): void {
    if (received !== undefined) this.#taker.onHeaders(received);
  }

  #onSettings(flags: number, payload: Buffer): void {
    if ((flags & FLAG.ACK) !== 0) {
      checkSize(payload, 0);
      return;
    }
    if (payload.length % 6 !== 0) throw new ProtocolError(CODE.FRAME_SIZE_ERROR, 'settings of the wrong size');
    this.#greeted = true;
    const settings: Setting[] = [];
    for (let at = 0; at < payload.length; at += 6)
      settings.push([payload.readUInt16BE(at), payload.readUInt32BE(at + 2)]);
    this.#taker.onSettings(settings);
  }
}

function checkConnection(id: number): void {
  if (id !== 0) throw new ProtocolError(CODE.PROTOCOL_ERROR, `a frame of the connection in stream ${id}`);
}

function checkSize(payload: Buffer, size: number): void {
  if (payload.length !== size)
    throw new ProtocolError(CODE.FRAME_SIZE_ERROR, `a frame of ${payload.length} bytes where there can be but ${size}`);
}
