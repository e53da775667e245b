/** Frames of HTTP/2 (RFC 9113, 4 and 6). */
export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;
export const FLAG = { END_STREAM: 0x1, ACK: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 } as const;
export const SETTING = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
} as const;
/** Why a stream or a connection ended (RFC 9113, 7). */
export const CODE = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
} as const;

/** What each side takes until it says otherwise. */
export const DEFAULT_WINDOW = 65_535;
export const DEFAULT_FRAME_SIZE = 16_384;
export const LARGEST_WINDOW = 2 ** 31 - 1;
const HEAD = 9;

/** The peer does not keep to the protocol; the connection is of no use any more. */
export class ProtocolError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export type OnFrame = (type: number, flags: number, stream: number, payload: Buffer) => void;

/** Cuts a byte stream into frames. A payload within one chunk is a view of it. Throws a {@link ProtocolError}. */
export class FrameReader {
  readonly #onFrame: OnFrame;
  readonly #largest: number;
  /** The beginning of a frame, and how long it has to become before it is worth a look. */
  #parts: Buffer[] = [];
  #length = 0;
  #wanted = HEAD;

  /** `largest`: bytes of payload in a frame, as agreed upon. */
  constructor(onFrame: OnFrame, largest: number) {
    this.#onFrame = onFrame;
    this.#largest = largest;
  }

  push(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#length > 0) {
      this.#parts.push(chunk);
      this.#length += chunk.length;
      if (this.#length < this.#wanted) return;
      bytes = Buffer.concat(this.#parts, this.#length);
      this.#parts = [];
      this.#length = 0;
    }
    let at = 0;
    this.#wanted = HEAD;
    while (bytes.length - at >= HEAD) {
      const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
      if (length > this.#largest) throw new ProtocolError(CODE.FRAME_SIZE_ERROR, `a frame of ${length} bytes`);
      const end = at + HEAD + length;
      if (end > bytes.length) {
        this.#wanted = HEAD + length;
        break;
      }
      const stream = bytes.readUInt32BE(at + 5) & 0x7fffffff;
      this.#onFrame(bytes[at + 3]!, bytes[at + 4]!, stream, bytes.subarray(at + HEAD, end));
      at = end;
    }
    if (at === bytes.length) return;
    this.#parts.push(at === 0 ? bytes : bytes.subarray(at));
    this.#length = bytes.length - at;
  }
}

/** One frame. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD + payload.length);
  writeHead(bytes, type, flags, stream, payload.length);
  bytes.set(payload, HEAD);
  return bytes;
}

/** What stands before a payload of `length` bytes. */
export function frameHead(type: number, flags: number, stream: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD);
  writeHead(bytes, type, flags, stream, length);
  return bytes;
}

function writeHead(bytes: Buffer, type: number, flags: number, stream: number, length: number): void {
  bytes[0] = length >>> 16;
  bytes[1] = length >>> 8;
  bytes[2] = length;
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
}

export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(6 * settings.length);
  for (const [i, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, 6 * i);
    payload.writeUInt32BE(value, 6 * i + 2);
  }
  return frame(FRAME.SETTINGS, 0, 0, payload);
}

/** A frame of which the payload is one number. */
export function numberFrame(
  type: typeof FRAME.RST_STREAM | typeof FRAME.WINDOW_UPDATE,
  stream: number,
  value: number,
): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(value);
  return frame(type, 0, stream, payload);
}

export function goAwayFrame(lastStream: number, code: number): Buffer {
  const payload = Buffer.allocUnsafe(8);
  payload.writeUInt32BE(lastStream);
  payload.writeUInt32BE(code, 4);
  return frame(FRAME.GOAWAY, 0, 0, payload);
}

/** The block that a HEADERS frame carries, without padding and priority. Throws a {@link ProtocolError}. */
export function headerBlock(flags: number, payload: Buffer): Buffer {
  const block = withoutPadding(flags, payload);
  if ((flags & FLAG.PRIORITY) === 0) return block;
  if (block.length < 5) throw new ProtocolError(CODE.FRAME_SIZE_ERROR, 'a frame too short for its priority');
  return block.subarray(5);
}

/** What a DATA or HEADERS frame carries. Throws a {@link ProtocolError}. */
export function withoutPadding(flags: number, payload: Buffer): Buffer {
  if ((flags & FLAG.PADDED) === 0) return payload;
  const padding = payload[0];
  if (padding === undefined || padding >= payload.length)
    throw new ProtocolError(CODE.PROTOCOL_ERROR, 'a frame shorter than its padding');
  return payload.subarray(1, payload.length - padding);
}
