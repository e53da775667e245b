import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type TLSSocket, connect } from 'node:tls';

/** What a client shows: PEM of the chain, leaf first, and of the leaf's key. */
export interface Shown {
  readonly cert: string;
  readonly key: string;
}

export interface RawAnswer {
  /** 0 where the server answered with nothing. */
  readonly status: number;
  readonly body: string;
}

/** Weak digests have to reach the server to be refused there. */
const LENIENT = { host: '127.0.0.1', rejectUnauthorized: false, ciphers: 'DEFAULT@SECLEVEL=0' } as const;

export async function connectRaw(port: number, shown?: Shown): Promise<TLSSocket> {
  const socket = connect({ ...LENIENT, port, ...shown, ALPNProtocols: ['http/1.1'] });
  await once(socket, 'secureConnect');
  return socket;
}

/** Sends the bytes of one HTTP/1.1 request as they are and reads until the server closes. */
export async function askRaw(port: number, request: Buffer, shown?: Shown): Promise<RawAnswer> {
  const socket = await connectRaw(port, shown);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => {});
  socket.write(request);
  await once(socket, 'close');
  const text = Buffer.concat(chunks).toString();
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), body: text.slice(text.indexOf('\r\n\r\n') + 4) };
}

/** The bytes of a request that asks for the connection to be closed after it; each header line as it is. */
export function requestBytes(method: string, target: string, lines: readonly string[] = []): Buffer {
  return Buffer.from(
    [`${method} ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...lines, '', ''].join('\r\n'),
  );
}

/** One request over HTTP/2; status 0 where the stream was reset. */
export async function askHttp2(
  port: number,
  headers: Readonly<Record<string, string | string[]>>,
  shown?: Shown,
): Promise<RawAnswer> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ...LENIENT, ...shown });
  session.on('error', () => {});
  try {
    const stream = session.request({ ...headers });
    const chunks: Buffer[] = [];
    let status = 0;
    stream.on('response', (answer) => (status = Number(answer[':status'])));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => {});
    await once(stream, 'close').catch(() => {});
    return { status, body: Buffer.concat(chunks).toString() };
  } finally {
    session.destroy();
  }
}
