import { setOwnValue } from '#pkg/base';
import { createHash } from 'node:crypto';
import http2 from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Logger } from '#pkg/log';
import type { ApiResponse, User } from '../exchange.ts';
import type { Handler } from '../handler/handler.ts';
import { refusal } from '../refusals.ts';
import type { KeyPair } from './certificates.ts';

export interface ServeOptions {
  /** 0 lets the system choose. */
  readonly port: number;
  readonly host: string;
  readonly tls: KeyPair;
  /** PEM: whose client certificates say who asks. */
  readonly clientCa: string;
  readonly log: Logger;
}

export interface Served {
  readonly port: number;
  /** `https://127.0.0.1:6443` */
  readonly url: string;
  /** Ends every connection, watches too. */
  close(): Promise<void>;
}

/** Bodies above this are cut off while they arrive; the handler has its own, lower limit. */
const LARGEST_BODY = 16 * 1024 * 1024;

/** Serves the handler over HTTPS: HTTP/2 and HTTP/1.1, whichever the client prefers. */
export async function serve(handler: Handler, options: ServeOptions): Promise<Served> {
  const sockets = new Set<Socket>();
  const server = http2.createSecureServer({
    allowHTTP1: true,
    key: options.tls.key,
    cert: options.tls.cert,
    ca: options.clientCa,
    requestCert: true,
    // A client without a certificate may have a token; one with a bad certificate is told so by HTTP.
    rejectUnauthorized: false,
    settings: { maxConcurrentStreams: 250, initialWindowSize: 1024 * 1024 },
  });
  server.on('connection', (socket: Socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  // A client that is no TLS client, or gives up in the handshake, is no concern of the server's.
  server.on('tlsClientError', (error) => options.log.v(4)?.info('TLS handshake failed', { error }));
  server.on('sessionError', (error) => options.log.v(4)?.info('HTTP/2 session failed', { error }));
  server.on('request', (request, response) => {
    void answer(handler, request, response, options.log);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    port,
    url: `https://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function answer(
  handler: Handler,
  request: http2.Http2ServerRequest,
  response: http2.Http2ServerResponse,
  log: Logger,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  request.on('error', () => gone.abort());
  response.on('error', () => gone.abort());
  try {
    const body = await readBody(request);
    const identity = userOf(request.socket as TLSSocket);
    if (identity === 'bad') {
      const { data } = refusal(401, 'Unauthorized', 'Unauthorized');
      await send(
        response,
        { status: 401, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(data.body)) },
        gone.signal,
      );
      return;
    }
    const reply = await handler({
      method: request.method,
      path: request.url,
      headers: headersOf(request),
      ...(body === undefined ? {} : { body }),
      ...(identity === undefined ? {} : { user: identity }),
      signal: gone.signal,
    });
    await send(response, reply, gone.signal, request.method === 'HEAD');
  } catch (error) {
    if (!gone.signal.aborted) log.error('Cannot answer', error, { method: request.method, path: request.url });
    response.stream?.close?.(http2.constants.NGHTTP2_INTERNAL_ERROR);
    (response as { destroy?: () => void }).destroy?.();
  }
}

async function readBody(request: http2.Http2ServerRequest): Promise<Buffer | undefined> {
  if (request.method === 'GET' || request.method === 'HEAD') {
    request.resume();
    return undefined;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) break;
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, Math.min(size, LARGEST_BODY));
}

function headersOf(request: http2.Http2ServerRequest): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    setOwnValue(headers, name, Array.isArray(value) ? value.join(',') : value);
  }
  return headers;
}

const identities = new WeakMap<object, User | 'bad' | 'none'>();

/** The user of the connection's client certificate; asked once a connection. */
function userOf(socket: TLSSocket): User | 'bad' | undefined {
  let identity = identities.get(socket);
  if (identity === undefined) {
    identity = readIdentity(socket);
    identities.set(socket, identity);
  }
  return identity === 'none' ? undefined : identity;
}

function readIdentity(socket: TLSSocket): User | 'bad' | 'none' {
  const certificate = socket.getPeerCertificate();
  if (certificate === null || Object.keys(certificate).length === 0) return 'none';
  if (!socket.authorized) return 'bad';
  const { CN, O } = certificate.subject as { CN?: string | string[]; O?: string | string[] };
  const name = Array.isArray(CN) ? CN[0] : CN;
  if (name === undefined || name === '') return 'bad';
  const fingerprint = createHash('sha256').update(certificate.raw).digest('hex');
  const extra = { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] };
  return { name, groups: O === undefined ? [] : Array.isArray(O) ? O : [O], extra };
}

async function send(
  response: http2.Http2ServerResponse,
  reply: ApiResponse,
  signal: AbortSignal,
  headOnly = false,
): Promise<void> {
  if (signal.aborted) return;
  response.statusCode = reply.status;
  for (const [name, value] of Object.entries(reply.headers))
    response.setHeader(name, typeof value === 'string' ? value : [...value]);
  if (reply.body instanceof Uint8Array) {
    response.setHeader('content-length', reply.body.length);
    if (headOnly) response.end();
    else response.end(reply.body);
    return;
  }
  flushHead(response);
  for await (const chunk of reply.body) {
    if (signal.aborted) break;
    if (!response.write(chunk)) await drained(response, signal);
  }
  if (!signal.aborted) response.end();
}

/** So that the client of a quiet watch knows it has begun. HTTP/1.1 and HTTP/2 each have their own way. */
function flushHead(response: http2.Http2ServerResponse): void {
  const old = response as unknown as { flushHeaders?: () => void };
  if (old.flushHeaders !== undefined) old.flushHeaders();
  else response.stream.respond({ ':status': response.statusCode, ...response.getHeaders() });
}

function drained(response: http2.Http2ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
