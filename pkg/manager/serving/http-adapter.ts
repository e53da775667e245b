import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { TLSSocket } from 'node:tls';

import type { Logger } from '#pkg/log';

import type { HttpAnswer, HttpHandler, HttpRequest } from './http.ts';

/** Nobody sends us more than a verbosity, bytes. */
const LONGEST_BODY = 64 * 1024;

/** Runs the handler for a request of either HTTP version, and sends its answer unless the client has gone. */
export async function respond(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  handler: HttpHandler,
  log: Logger,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  let answer: HttpAnswer;
  try {
    answer = await handler(requestFrom(request, gone.signal));
  } catch (error) {
    log.error('A request could not be answered', error, { method: request.method, path: request.url });
    answer = { status: 500, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'Internal Server Error\n' };
  }
  if (gone.signal.aborted) return;
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  response.statusCode = answer.status;
  // Nothing here may be kept by a proxy: half of it is for one user's eyes.
  response.setHeader('cache-control', 'no-cache, private');
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  response.setHeader('content-length', body.byteLength);
  if (request.method === 'HEAD') response.end();
  else (response as ServerResponse).end(body);
}

function requestFrom(request: IncomingMessage | Http2ServerRequest, signal: AbortSignal): HttpRequest {
  const url = new URL(request.url ?? '/', 'https://localhost');
  const socket = request.socket as TLSSocket;
  return {
    method: request.method ?? 'GET',
    path: decodedPath(url.pathname),
    query: url.searchParams,
    headers: request.headers,
    get certificates() {
      return certificatesOf(request);
    },
    remoteAddress: socket.remoteAddress ?? '',
    signal,
    body: () => readBody(request),
  };
}

const certificatesByConnection = new WeakMap<object, readonly X509Certificate[]>();

/** An HTTP/2 request has a stand-in for the socket of its own, so its session is what tells connections apart. */
function certificatesOf(request: IncomingMessage | Http2ServerRequest): readonly X509Certificate[] {
  const socket = request.socket as TLSSocket;
  const connection = ('stream' in request ? request.stream.session : undefined) ?? socket;
  const known = certificatesByConnection.get(connection);
  if (known) return known;
  const chain: X509Certificate[] = [];
  for (let certificate = socket.getPeerX509Certificate(); certificate; certificate = certificate.issuerCertificate) {
    if (chain.some(({ fingerprint256 }) => fingerprint256 === certificate?.fingerprint256)) break;
    chain.push(certificate);
  }
  certificatesByConnection.set(connection, chain);
  return chain;
}

async function readBody(request: IncomingMessage | Http2ServerRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_BODY) throw new Error(`the body is longer than ${LONGEST_BODY} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
