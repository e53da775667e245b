import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Http2ServerRequest, type Http2ServerResponse, constants } from 'node:http2';
import type { TLSSocket } from 'node:tls';

import type { Logger } from '#pkg/log';

import type { ClientCertificate, HttpAnswer, HttpHandler } from './http.ts';
import { parseTarget } from './request-target.ts';

/** Nobody sends us more than a verbosity, bytes. */
const LONGEST_BODY = 64 * 1024;

/** A request of either HTTP version with its response, as Node's servers emit them. */
export interface Exchange {
  readonly request: IncomingMessage | Http2ServerRequest;
  readonly response: ServerResponse | Http2ServerResponse;
}

/** Runs the handler for a request, and sends its answer unless the client has gone. */
export async function respond(exchange: Exchange, handler: HttpHandler, log: Logger): Promise<void> {
  const { request, response } = exchange;
  if (hasGone(response)) return;
  const answer = await answerTo(exchange, handler, log);
  if (hasGone(response)) return;
  if (answer === undefined) return refuse(exchange);
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  response.statusCode = answer.status;
  // Nothing here may be kept by a proxy: half of it is for one user's eyes.
  response.setHeader('cache-control', 'no-cache, private');
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  response.setHeader('content-length', body.byteLength);
  if (request.method === 'HEAD') response.end();
  else (response as ServerResponse).end(body);
}

/** Undefined where the request's target is none. */
async function answerTo(
  { request, response }: Exchange,
  handler: HttpHandler,
  log: Logger,
): Promise<HttpAnswer | undefined> {
  const method = request.method ?? 'GET';
  const raw = fromBytes(request.url ?? '');
  // Go's server answers this one itself.
  if (method === 'OPTIONS' && raw === '*') return { status: 200, body: '' };
  const target = parseTarget(method, raw);
  if (!target) return undefined;
  try {
    return await handler({
      method,
      ...target,
      headers: headerLines(request.rawHeaders),
      get certificate() {
        return certificateOf(request);
      },
      remoteAddress: (request.socket as TLSSocket).remoteAddress ?? '',
      get signal() {
        return signalOf(response);
      },
      body: () => readBody(request),
    });
  } catch (error) {
    log.error('A request could not be answered', error, { method, path: target.path });
    return {
      status: 500,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: 'Internal Server Error\n',
    };
  }
}

function hasGone(response: Exchange['response']): boolean {
  return response.destroyed || ('stream' in response && (response.stream === undefined || response.stream.destroyed));
}

/** Made only for handlers that take long: aborting one costs as much as a short answer. */
function signalOf(response: Exchange['response']): AbortSignal {
  const gone = new AbortController();
  if (hasGone(response)) gone.abort();
  else response.once('close', () => gone.abort());
  return gone.signal;
}

/** What Go's servers do with a target that cannot be read. */
function refuse({ response }: Exchange): void {
  if ('stream' in response) return response.stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
  response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  response.end('400 Bad Request');
}

function headerLines(raw: readonly string[]): [name: string, value: string][] {
  const lines: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2)
    lines.push([raw[index]!.toLowerCase(), fromBytes(raw[index + 1]!)]);
  return lines;
}

/** Node gives the bytes of a header as Latin-1; what they spell is UTF-8. */
function fromBytes(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'latin1').toString();
}

const ASCII = /^[\0-\u007f]*$/;

const certificates = new WeakMap<object, ClientCertificate | 'none'>();

function certificateOf(request: Exchange['request']): ClientCertificate | undefined {
  const connection = connectionOf(request);
  let known = certificates.get(connection);
  if (known === undefined) {
    known = shownBy(request.socket as TLSSocket) ?? 'none';
    certificates.set(connection, known);
  }
  return known === 'none' ? undefined : known;
}

/** An HTTP/2 request has a stand-in for the socket of its own, so its session is what tells connections apart. */
export function connectionOf(request: Exchange['request']): object {
  return ('stream' in request ? request.stream.session : undefined) ?? request.socket;
}

function shownBy(socket: TLSSocket): ClientCertificate | undefined {
  const chain: X509Certificate[] = [];
  for (let certificate = socket.getPeerX509Certificate(); certificate; certificate = certificate.issuerCertificate) {
    const { raw } = certificate;
    if (chain.some((earlier) => earlier.raw.equals(raw))) break;
    chain.push(certificate);
  }
  if (chain.length === 0) return undefined;
  return { chain, problem: socket.authorized ? undefined : String(socket.authorizationError ?? 'not verified') };
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
