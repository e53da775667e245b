import {
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  createSecureServer,
} from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import {
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
  createServer as createHttpServer,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import { type KeyPair, type TestAuthority, testAuthority } from './test-certificates.ts';
import type { ContractHandler } from './transport-contract.ts';

export interface TestServerOptions {
  /** `h2` speaks both by ALPN, `https` and `http` only HTTP/1.1. */
  readonly protocol: 'h2' | 'https' | 'http';
  readonly authority?: TestAuthority;
  readonly certificate?: KeyPair;
  /** HTTP/2 only. */
  readonly maxConcurrentStreams?: number;
  /** Demands a client certificate of the authority. */
  readonly clientCertificates?: boolean;
}

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly authority: TestAuthority;
  /** HTTP/2 sessions open now. */
  readonly sessions: ReadonlySet<ServerHttp2Session>;
  /** Connections open now, of any protocol. */
  readonly sockets: ReadonlySet<Socket>;
  /** Connections accepted since the start. */
  readonly connections: number;
  /** Common names of client certificates, in order of their connections. */
  readonly clients: readonly string[];
  close(): Promise<void>;
}

type Message = Http2ServerRequest | IncomingMessage;
type Answer = Http2ServerResponse | ServerResponse;

/** A server on a free port of the loopback that answers with `handler`. */
export async function startTestServer(handler: ContractHandler, options: TestServerOptions): Promise<TestServer> {
  const authority = options.authority ?? (await sharedAuthority());
  const { certificate, key } =
    options.certificate ??
    (await authority.issue({ commonName: 'test-server', names: ['localhost'], addresses: ['127.0.0.1'] }));
  const listener = (request: Message, response: Answer): void => void answer(handler, request, response);
  const tls = {
    cert: certificate,
    key,
    ...(options.clientCertificates ? { requestCert: true, rejectUnauthorized: true, ca: authority.certificate } : {}),
  };
  const server: HttpServer | Http2SecureServer =
    options.protocol === 'http'
      ? createHttpServer(listener)
      : options.protocol === 'https'
        ? createHttpsServer(tls, listener)
        : createSecureServer(
            {
              ...tls,
              allowHTTP1: true,
              settings: options.maxConcurrentStreams ? { maxConcurrentStreams: options.maxConcurrentStreams } : {},
            },
            listener,
          );

  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  const clients: string[] = [];
  let connections = 0;
  if (options.protocol === 'h2') {
    server.on('session', (session: ServerHttp2Session) => {
      sessions.add(session);
      session.once('close', () => sessions.delete(session)).on('error', () => {});
    });
  }
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => {});
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    const name = socket.getPeerCertificate().subject?.CN;
    if (name !== undefined) clients.push(String(name));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.protocol === 'http' ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    authority,
    sessions,
    sockets,
    clients,
    get connections() {
      return connections;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.destroy();
        for (const socket of sockets) socket.destroy();
      }),
  };
}

let shared: Promise<TestAuthority> | undefined;
const sharedAuthority = (): Promise<TestAuthority> => (shared ??= testAuthority());

async function answer(handler: ContractHandler, request: Message, response: Answer): Promise<void> {
  const gone = new AbortController();
  let complete = false;
  response.on('close', () => {
    if (!complete) gone.abort();
  });
  response.on('error', () => {});
  request.on('error', () => {});
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return;
  }
  const { method = '', url: path = '', headers } = request;
  const {
    status,
    headers: own = {},
    body = '',
  } = await handler({ method, path, headers, body: Buffer.concat(chunks), signal: gone.signal });
  if (gone.signal.aborted) return;
  // The two response classes take the same calls, but their overloads do not unite.
  const out = response as ServerResponse;
  out.writeHead(status, own as Record<string, string | string[]>);
  if (typeof body === 'string' || body instanceof Uint8Array) {
    complete = true;
    out.end(body);
    return;
  }
  out.flushHeaders();
  for await (const part of body) {
    if (gone.signal.aborted) return;
    out.write(part);
  }
  complete = true;
  out.end();
}
