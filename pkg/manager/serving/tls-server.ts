import { X509Certificate } from 'node:crypto';
import {
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  createSecureServer,
} from 'node:http2';
import type { Server as HttpsServer, ServerOptions } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ListenOptions, type Socket, isIPv6 } from 'node:net';
import { DEFAULT_CIPHERS, type SecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';

import { type Clock, describeError } from '#pkg/base';
import type { Logger } from '#pkg/log';

import { ManagerError } from '../errors.ts';
import type { ManagerFlagValues } from '../options/sections.ts';
import { cipherList, curveList, tlsVersion } from '../options/tls-names.ts';
import { respond } from './http-adapter.ts';
import type { HttpHandler } from './http.ts';
import { servingCertificate, watchPair } from './serving-certificate.ts';
import type { CertificatePair } from './self-signed.ts';
import { SniContexts } from './sni.ts';

/** Of a client that is slow to say what it wants, ms (the generic API server's `ReadHeaderTimeout`). */
const HEADERS_TIMEOUT = 32_000;
/** Idle connections end after this, ms (its `IdleTimeout`). */
const IDLE_TIMEOUT = 90_000;

export interface ServingOptions {
  readonly flags: ManagerFlagValues;
  readonly handler: HttpHandler;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface SecureServer {
  /** As bound: of use where `--secure-port` was chosen by the system. */
  readonly port: number;
  /** Refuses new connections and ends the present ones. */
  close(): Promise<void>;
}

/**
 * Serves HTTPS on `--bind-address` and `--secure-port`, over HTTP/2 and HTTP/1.1. Client certificates are asked for and
 * not judged here. Throws a {@link ManagerError} that names flag and file, or `CannotListen`.
 */
export async function startSecureServer({ flags, handler, clock, log }: ServingOptions): Promise<SecureServer> {
  const pair = await servingCertificate(flags, clock.now());
  const common = tlsOptions(flags);
  const sni = await SniContexts.load(flags['tls-sni-cert-key'], common, { clock, log });
  const server = await createServer(flags, {
    ...common,
    cert: pair.certificate,
    key: pair.key,
    SNICallback: (name: string, done: (error: Error | null, context?: SecureContext) => void) =>
      done(null, sni.contextFor(name)),
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on(
    'request',
    (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse) => {
      void respond(request, response, handler, log);
    },
  );
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    log.v(3)?.info('TLS handshake error', { remoteAddress: socket.remoteAddress ?? '', err: describeError(error) });
  });
  server.on('sessionError', (error: Error) => log.v(3)?.info('HTTP/2 session error', { err: describeError(error) }));
  const port = await listen(server, flags);
  const watch =
    pair.files &&
    watchPair(pair.files, pair, { clock, log }, (fresh) =>
      server.setSecureContext({ ...common, cert: fresh.certificate, key: fresh.key }),
    );
  log.info('Loaded serving cert', { certName: pair.origin, certDetail: describePair(pair) });
  log.info('Serving securely', { address: `${bracketed(flags['bind-address'])}:${port}` });
  return {
    port,
    async close() {
      watch?.close();
      sni.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
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

async function createServer(
  flags: ManagerFlagValues,
  tls: SecureContextOptions & Pick<ServerOptions, 'SNICallback'>,
): Promise<Http2SecureServer | HttpsServer> {
  const options = { ...tls, requestCert: true, rejectUnauthorized: false };
  if (flags['disable-http2-serving']) {
    const { createServer: createHttpsServer } = await import('node:https');
    const server = createHttpsServer(options);
    server.headersTimeout = HEADERS_TIMEOUT;
    server.keepAliveTimeout = IDLE_TIMEOUT;
    return server;
  }
  const streams = flags['http2-max-streams-per-connection'];
  const server = createSecureServer({
    ...options,
    allowHTTP1: true,
    ...(streams > 0 ? { settings: { maxConcurrentStreams: streams } } : {}),
  });
  server.setTimeout(IDLE_TIMEOUT);
  server.on('timeout', (session: { destroy(): void }) => session.destroy());
  return server;
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
