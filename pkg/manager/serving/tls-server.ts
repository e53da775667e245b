import { X509Certificate, constants as cryptoConstants } from 'node:crypto';
import { ServerResponse } from 'node:http';
import {
  type Http2SecureServer,
  type Http2ServerResponse,
  type ServerHttp2Session,
  createSecureServer,
} from 'node:http2';
import type { Server as HttpsServer, ServerOptions } from 'node:https';
import { type ListenOptions, type Socket, isIPv6 } from 'node:net';
import { DEFAULT_CIPHERS, type SecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';

import { type Clock, describeError } from '#pkg/base';
import type { Logger } from '#pkg/log';

import { ManagerError } from '../errors.ts';
import type { ManagerFlagValues } from '../options/sections.ts';
import { cipherList, curveList, tlsVersion } from '../options/tls-names.ts';
import { Connections } from './connections.ts';
import { type Exchange, connectionOf, respond } from './http-adapter.ts';
import type { HttpHandler } from './http.ts';
import { servingCertificate, watchPair } from './serving-certificate.ts';
import { Pipelines } from './pipeline.ts';
import type { CertificatePair } from './self-signed.ts';
import { SniContexts } from './sni.ts';
import { Turns, nodeTurns } from './turns.ts';

/**
 * Limits of the generic API server (`SecureServingInfo.Serve`): of the handshake and of a request's headers to arrive, ms
 * (`ReadHeaderTimeout`); of a connection without a request, ms (`IdleTimeout`); of all headers of a request, bytes.
 */
const HEADERS_TIMEOUT = 32_000;
const IDLE_TIMEOUT = 90_000;
const LONGEST_HEADERS = 2 ** 20;
/** Requests under way on an HTTP/2 connection where `--http2-max-streams-per-connection` names no other number. */
const STREAMS = 100;
/** Largest frame taken, bytes; header blocks come in at most nine of them. */
const FRAME_SIZE = 256 * 1024;
/** What an HTTP/2 connection may make the process keep, in millions of bytes. */
const SESSION_MEMORY = 4;
/** Header lines of a request at most. */
const MOST_HEADERS = 2000;
/** Requests taken back on an HTTP/2 connection: so many at once, then so many a second; beyond them it ends. */
const RESETS = { streamResetBurst: 100, streamResetRate: 33 };
/** Handshakes begun in a turn of the event loop at most. */
const HANDSHAKES = 4;
/** For an HTTP/2 client to begin, ms (Go's). */
const PREFACE_TIMEOUT = 10_000;
/** How often connections are looked at for their time being up, ms. */
const CHECKING_INTERVAL = 1000;

export interface ServingOptions {
  readonly flags: ManagerFlagValues;
  readonly handler: HttpHandler;
  /** The authorities that are trusted about clients; without them no certificate is valid. */
  readonly authorities?: Authorities;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Authorities against which client certificates are verified, PEM, as they are now and when they change. */
export interface Authorities {
  readonly current: () => readonly string[];
  readonly onChange: (listener: () => void) => void;
}

export interface SecureServer {
  /** The port that was bound, which differs where `--secure-port` was chosen by the system. */
  readonly port: number;
  /** Refuses new connections and ends the present ones. */
  close(): Promise<void>;
}

/**
 * Serves HTTPS on `--bind-address` and `--secure-port`, over HTTP/2 and HTTP/1.1. Client certificates are asked for
 * and verified in the handshake, and a connection without a valid one is served as well. Throws a {@link ManagerError} that names flag and file, or `CannotListen`.
 */
export async function startSecureServer(options: ServingOptions): Promise<SecureServer> {
  const { flags, authorities, clock, log } = options;
  const loaded = await servingCertificate(flags, clock.now());
  const { files, origin } = loaded;
  let pair: CertificatePair = loaded;
  const common = (): SecureContextOptions => ({ ...tlsOptions(flags), ...clientVerification(authorities) });
  const sni = await SniContexts.load(flags['tls-sni-cert-key'], common, { clock, log });
  const contents = (): SecureContextOptions => ({ ...common(), cert: pair.certificate, key: pair.key });
  const server = await createServer(flags, {
    ...contents(),
    SNICallback: (name: string, done: (error: Error | null, context?: SecureContext) => void) =>
      done(null, sni.contextFor(name)),
  });
  const connections = new Connections();
  const sessions = new Set<ServerHttp2Session>();
  admit(server, connections, clock);
  server.on('session', (session: ServerHttp2Session) => watchSession(session, sessions));
  answerRequests(server, options, connections);
  logErrors(server, log);
  const port = await listen(server, flags);
  const watch =
    files &&
    watchPair(files, pair, { clock, log }, (fresh) => {
      pair = fresh;
      server.setSecureContext(contents());
    });
  authorities?.onChange(() => {
    server.setSecureContext(contents());
    sni.renew();
    // What a handshake found counts for its connection, so clients are asked to come again.
    for (const session of sessions) session.close();
    // Http2SecureServer has it too, which its types do not know.
    (server as HttpsServer).closeIdleConnections();
  });
  log.info('Loaded serving cert', { certName: origin, certDetail: describePair(pair) });
  log.info('Serving securely', { address: `${bracketed(flags['bind-address'])}:${port}` });
  return {
    port,
    async close() {
      watch?.close();
      sni.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      connections.destroyAll();
      await closed;
    },
  };
}

/** OpenSSL speaks no TLS below 1.2 at the security level that Node sets, whatever the minimum is. */
const OLD = '@SECLEVEL=0';

function tlsOptions(flags: ManagerFlagValues): SecureContextOptions {
  const given = cipherList(flags['tls-cipher-suites']);
  const curves = curveList(flags['tls-curve-preferences']);
  const minVersion = tlsVersion(flags['tls-min-version']);
  const old = minVersion === 'TLSv1' || minVersion === 'TLSv1.1';
  const ciphers = given ? withTls13(given) : old ? DEFAULT_CIPHERS : undefined;
  return {
    minVersion,
    ...(ciphers ? { ciphers: old ? `${ciphers}:${OLD}` : ciphers } : {}),
    ...(curves ? { ecdhCurve: curves } : {}),
  };
}

/** In Go the list is about TLS 1.2 and below; the suites of 1.3 are always there. */
function withTls13(ciphers: string): string {
  const own = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
  const older = ciphers.split(':').filter((cipher) => !own.includes(cipher));
  return [...own, ...older].join(':');
}

/**
 * Verification by OpenSSL against the authorities of clients and proxies together; an authority need not be self-signed,
 * as in Go. A session is never resumed, since what is kept of one has the client's own certificate without the chain.
 */
function clientVerification(authorities: Authorities | undefined): SecureContextOptions {
  const ca = authorities?.current() ?? [];
  return {
    secureOptions: cryptoConstants.SSL_OP_NO_TICKET,
    ...(ca.length > 0 ? { ca: [...ca], allowPartialTrustChain: true } : {}),
  };
}

async function createServer(
  flags: ManagerFlagValues,
  tls: SecureContextOptions & Pick<ServerOptions, 'SNICallback'>,
): Promise<Http2SecureServer | HttpsServer> {
  const options = {
    ...tls,
    pauseOnConnect: true,
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: HEADERS_TIMEOUT,
    headersTimeout: HEADERS_TIMEOUT,
    keepAliveTimeout: IDLE_TIMEOUT,
    maxHeaderSize: LONGEST_HEADERS,
    connectionsCheckingInterval: CHECKING_INTERVAL,
  };
  if (flags['disable-http2-serving']) {
    const { createServer: createHttpsServer } = await import('node:https');
    return createHttpsServer(options);
  }
  return createSecureServer({
    ...options,
    allowHTTP1: true,
    maxSessionMemory: SESSION_MEMORY,
    maxHeaderListPairs: MOST_HEADERS,
    ...RESETS,
    settings: {
      maxConcurrentStreams: flags['http2-max-streams-per-connection'] || STREAMS,
      maxFrameSize: FRAME_SIZE,
      maxHeaderListSize: LONGEST_HEADERS,
    },
  });
}

/** Keeps count of the sessions there are, and ends one that never begins or has been idle too long. */
function watchSession(session: ServerHttp2Session, sessions: Set<ServerHttp2Session>): void {
  let streams = 0;
  sessions.add(session);
  session.once('close', () => sessions.delete(session));
  session.on('stream', (stream) => {
    streams++;
    stream.once('close', () => streams--);
  });
  session.setTimeout(PREFACE_TIMEOUT, () => {
    if (streams === 0) session.destroy();
  });
  session.once('remoteSettings', () => session.setTimeout(IDLE_TIMEOUT));
}

/**
 * Begins a few handshakes in a turn of the event loop, one of each address after the other: with each come keys to be
 * agreed on and then up to a hundred requests at once. `tls.Server` begins with its own listener for new connections.
 */
function admit(server: Http2SecureServer | HttpsServer, connections: Connections, clock: Clock): void {
  const begin = server.listeners('connection');
  server.removeAllListeners('connection');
  const handshakes = new Turns<string>({ clock, ...nodeTurns, most: HANDSHAKES });
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    handshakes.add(socket.remoteAddress ?? '', () => {
      if (!socket.destroyed) for (const listener of begin) Reflect.apply(listener, server, [socket]);
    });
  });
}

/** Answers in turns, so that neither one connection nor all together hold up what else the process does. */
function answerRequests(
  server: Http2SecureServer | HttpsServer,
  { handler, clock, log }: ServingOptions,
  connections: Connections,
): void {
  const pipelines = new Pipelines();
  const turns = new Turns<object>({ clock, ...nodeTurns });
  const answer = (exchange: Exchange): void => {
    const { request, response } = exchange;
    if (!('stream' in request) && !pipelines.admit(request.socket, response)) return;
    connections.heardFrom(request.socket);
    turns.add(connectionOf(exchange.request), () => void respond(exchange, handler, log));
  };
  server.on('request', (request: Exchange['request'], response: Exchange['response']) => answer({ request, response }));
  // A tunnel is refused as everything else is: by who asks, and then as something that is not there.
  server.on('connect', (request: Exchange['request'], other: Socket | Http2ServerResponse) => {
    if ('stream' in request) return answer({ request, response: other as Http2ServerResponse });
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(other as Socket);
    response.once('finish', () => (other as Socket).end());
    answer({ request, response });
  });
  server.on('clientError', refuseMalformed);
}

/** Answers what cannot be parsed as Go's server does. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  // What is no parser's error is a broken connection, or one whose client took too long.
  if (!socket.writable || !error.code?.startsWith('HPE_')) return void socket.destroy();
  const line = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(`HTTP/1.1 ${line}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${line}`);
}

function logErrors(server: Http2SecureServer | HttpsServer, log: Logger): void {
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    log.v(3)?.info('TLS handshake error', { remoteAddress: socket.remoteAddress ?? '', err: describeError(error) });
  });
  server.on('sessionError', (error: Error) => log.v(3)?.info('HTTP/2 session error', { err: describeError(error) }));
}

async function listen(server: Http2SecureServer | HttpsServer, flags: ManagerFlagValues): Promise<number> {
  const bind = flags['bind-address'];
  // All of the machine means both families, as Go's listener understands 0.0.0.0.
  const everywhere = ['', '0.0.0.0', '::'].includes(bind);
  const listening = (host: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const options: ListenOptions = {
        host,
        port: flags['secure-port'],
        ...(flags['permit-port-sharing'] ? { reusePort: true } : {}),
      };
      server.once('error', reject);
      server.listen(options, () => {
        server.off('error', reject);
        resolve();
      });
    });
  try {
    if (!everywhere) await listening(bind);
    else
      await listening('::').catch((error: NodeJS.ErrnoException) =>
        error.code === 'EAFNOSUPPORT' ? listening('0.0.0.0') : Promise.reject(error),
      );
  } catch (error) {
    const message = `failed to create listener on --bind-address ${bracketed(bind)}, --secure-port ${flags['secure-port']}: ${describeError(error)}`;
    throw new ManagerError('CannotListen', message, {}, { cause: error });
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : flags['secure-port'];
}

function bracketed(address: string): string {
  return isIPv6(address) ? `[${address}]` : address === '' ? '[::]' : address;
}

function describePair({ certificate }: CertificatePair): string {
  const { subject, subjectAltName, issuer, validFrom, validTo } = new X509Certificate(certificate);
  const oneLine = (name: string): string => name.replaceAll('\n', ',');
  return `"${oneLine(subject)}" validServingFor=[${subjectAltName ?? ''}] issuer="${oneLine(issuer)}" (${validFrom} to ${validTo})`;
}
