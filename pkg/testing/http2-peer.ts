import { Duplex } from 'node:stream';

import { settle } from './fake-clock.ts';

export interface PeerFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

const PREFACE_LENGTH = 24;
const HEAD = 9;
const SETTINGS = 4;

/**
 * The server's end of an HTTP/2 connection in memory, played by a test frame by frame, byte by byte if need be. It knows no
 * rules: what it is told to send it sends. Frames are made and cut here anew, so that a client's own mistakes do not cancel out.
 *
 *     const peer = new Http2Peer();
 *     const session = new Http2Session(peer.socket, options);
 *     peer.send(rawSettings());
 *     await peer.turn();
 */
export class Http2Peer {
  /** The client's end. */
  readonly socket: Duplex;
  /** What the client has sent behind its preface. */
  readonly frames: PeerFrame[] = [];
  #unread: Buffer = Buffer.alloc(0);
  #preface = false;
  #written: (() => void)[] | undefined;
  #finished = false;
  #closed = false;

  constructor() {
    this.socket = new Duplex({
      allowHalfOpen: false,
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        if (this.#written !== undefined) {
          this.#written.push(done);
          return;
        }
        this.#take(chunk);
        done();
      },
      final: (done) => {
        this.#finished = true;
        if (this.#written === undefined) done();
        else this.#written.push(done);
      },
    });
    this.socket.once('close', () => (this.#closed = true));
  }

  /** The client will send no more. */
  get finished(): boolean {
    return this.#finished;
  }

  /** The client has let go of the connection. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes that the client has handed over. */
  get backlog(): number {
    return this.socket.writableLength;
  }

  /** Everything, in one chunk. */
  send(...frames: readonly Buffer[]): void {
    this.sendChunk(Buffer.concat(frames));
  }

  sendChunk(chunk: Buffer): void {
    if (!this.socket.destroyed && !this.socket.readableEnded) this.socket.push(chunk);
  }

  /** Ends its own half in good order. */
  end(): void {
    if (!this.socket.destroyed) this.socket.push(null);
  }

  /** Reads no more: what the client sends piles up on its side. Meant to be for good; what comes meanwhile is not looked at. */
  stall(): void {
    this.#written ??= [];
  }

  /** Whatever the client does in answer has been done. */
  async turn(): Promise<void> {
    await settle();
    await settle();
  }

  /** Frames of this type that the client has sent so far. */
  sent(type: number, stream?: number): readonly PeerFrame[] {
    return this.frames.filter((one) => one.type === type && (stream === undefined || one.stream === stream));
  }

  /** The request's body as far as it has come, and whether it is all. */
  bodyOf(stream: number): { readonly bytes: Buffer; readonly complete: boolean } {
    const own = this.frames.filter((one) => one.stream === stream && one.type <= 1);
    return {
      bytes: Buffer.concat(own.filter(({ type }) => type === 0).map(({ payload }) => payload)),
      complete: own.some(({ flags }) => (flags & 1) !== 0),
    };
  }

  #take(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    if (!this.#preface && this.#unread.length >= PREFACE_LENGTH) {
      this.#preface = true;
      this.#unread = this.#unread.subarray(PREFACE_LENGTH);
    }
    while (this.#unread.length >= HEAD) {
      const end = HEAD + this.#unread.readUIntBE(0, 3);
      if (end > this.#unread.length) return;
      const [type, flags] = [this.#unread[3]!, this.#unread[4]!];
      this.frames.push({
        type,
        flags,
        stream: this.#unread.readUInt32BE(5),
        payload: this.#unread.subarray(HEAD, end),
      });
      this.#unread = this.#unread.subarray(end);
    }
  }
}

/** One frame as it is on the wire. */
export function rawFrame(type: number, flags: number, stream: number, payload: string | Uint8Array = ''): Buffer {
  const bytes = Buffer.from(payload);
  const head = Buffer.alloc(HEAD);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

export function rawSettings(...settings: readonly (readonly [id: number, value: number])[]): Buffer {
  return rawFrame(
    SETTINGS,
    0,
    0,
    Buffer.concat(settings.map(([id, value]) => Buffer.concat([rawNumber(id, 2), rawNumber(value, 4)]))),
  );
}

/** A block of headers, each in full and none to be remembered. */
export function rawHeaders(...headers: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

/** `value` in so many bytes. */
export function rawNumber(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const length: number[] = [];
  let rest = bytes.length - 127;
  if (rest < 0) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Buffer.concat([Buffer.of(127, ...length, rest), bytes]);
}
