import { type LookupFunction, type Socket, connect as connectTcp, isIP } from 'node:net';
import { type TLSSocket, connect as connectTls } from 'node:tls';

import type { Clock } from '#pkg/base';
import { TransportError } from '#pkg/client';

import { connectionError } from './connection-errors.ts';
import { connectTunnel, socksTunnel } from './proxy-tunnel.ts';
import type { TlsMaterial } from './tls-material.ts';
import { untrusted } from './tls-trust.ts';

/** Time limits of Go's default transport: a connection in 30 s, the handshake in 10 s more. */
const CONNECT_TIMEOUT = 30_000;
const HANDSHAKE_TIMEOUT = 10_000;
const KEEP_ALIVE = 30_000;

export interface DialOptions {
  readonly server: URL;
  readonly proxy: URL | undefined;
  /** Missing for `http://` servers. */
  readonly tls: TlsMaterial | undefined;
  readonly protocols: readonly ('h2' | 'http/1.1')[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told how long each name took to resolve, seconds. */
  readonly onResolved?: (host: string, seconds: number) => void;
}

/** A connection to the server, through the proxy if there is one, with TLS up and the server's certificate accepted. */
export async function dial(options: DialOptions): Promise<Socket | TLSSocket> {
  const { server, proxy, tls } = options;
  const to = { host: server.hostname.replace(/^\[|\]$/g, ''), port: portOf(server) };
  let socket: Socket | undefined;
  try {
    if (proxy === undefined) {
      socket = await tcp(options, to.host, to.port);
    } else {
      socket = await tcp(options, proxy.hostname.replace(/^\[|\]$/g, ''), portOf(proxy));
      if (proxy.protocol === 'https:') socket = await handshakeWithProxy(options, socket, proxy.hostname);
      const tunnel = proxy.protocol.startsWith('socks5') ? socksTunnel : connectTunnel;
      await within(options, socket, HANDSHAKE_TIMEOUT, 'the proxy did not answer', (s) => tunnel(s, proxy, to));
    }
    if (tls === undefined) return socket;
    return await handshake(options, socket, to.host, tls);
  } catch (error) {
    socket?.destroy();
    options.signal.throwIfAborted();
    const target =
      error instanceof TransportError
        ? ''
        : proxy === undefined
          ? server.origin
          : `${server.origin} through ${proxy.host}`;
    throw connectionError(error, target);
  }
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : url.protocol === 'http:' ? 80 : 1080;
}

function tcp(options: DialOptions, host: string, port: number): Promise<Socket> {
  const socket = connectTcp({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE,
    lookup: isIP(host) === 0 ? timedLookup(options) : undefined,
  });
  return within(options, socket, CONNECT_TIMEOUT, `cannot reach ${options.server.origin}: connection timed out`, () =>
    once(socket, 'connect'),
  );
}

function timedLookup(options: DialOptions): LookupFunction {
  return (host, lookupOptions, callback) => {
    const start = options.clock.monotonic();
    // Loaded for who has a name to look up: many a kubeconfig, and every Pod, has an address.
    process.getBuiltinModule('node:dns').lookup(host, lookupOptions, (error, address, family) => {
      options.onResolved?.(host, (options.clock.monotonic() - start) / 1000);
      callback(error, address, family);
    });
  };
}

async function handshake(options: DialOptions, below: Socket, host: string, tls: TlsMaterial): Promise<TLSSocket> {
  const name = tls.serverName ?? host;
  const socket = connectTls({
    socket: below,
    secureContext: tls.context,
    // A name is sent and checked, an address only checked.
    ...(isIP(name) === 0 ? { servername: name } : { host: name }),
    ALPNProtocols: [...options.protocols],
    // Judged below, before a byte is written: only here can the refused certificate still be named.
    rejectUnauthorized: false,
  });
  const target = options.server.origin;
  const timeout = `cannot reach ${target}: TLS handshake timed out`;
  try {
    await within(options, socket, HANDSHAKE_TIMEOUT, timeout, () => once(socket, 'secureConnect'));
    if (!socket.authorized && !tls.insecure) throw untrusted(socket, target, options.clock.now());
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function handshakeWithProxy(options: DialOptions, below: Socket, name: string): Promise<TLSSocket> {
  const socket = connectTls({
    socket: below,
    ...(isIP(name) === 0 ? { servername: name } : { host: name }),
    ALPNProtocols: ['http/1.1'],
  });
  return within(options, socket, HANDSHAKE_TIMEOUT, 'the proxy did not finish the TLS handshake', async () => {
    await once(socket, 'secureConnect');
    return socket;
  });
}

/** Resolves at `event`; rejects at an error or when the socket closes first. */
function once<S extends Socket>(socket: S, event: 'connect' | 'secureConnect'): Promise<S> {
  return new Promise((resolve, reject) => {
    const onEvent = (): void => finish(() => resolve(socket));
    const onError = (error: Error): void => finish(() => reject(error));
    const onClose = (): void => finish(() => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
    const finish = (settle: () => void): void => {
      socket.off(event, onEvent).off('error', onError).off('close', onClose);
      // An error after this is the next owner's; until there is one it must not end the process.
      socket.on('error', () => {});
      settle();
    };
    socket.on(event, onEvent).on('error', onError).on('close', onClose);
  });
}

/** Bounds one step by time and by the signal; ends the socket with it. */
async function within<S extends Socket, R>(
  options: DialOptions,
  socket: S,
  timeout: number,
  message: string,
  step: (socket: S) => Promise<R>,
): Promise<R> {
  let ended: unknown;
  const end = (reason: unknown): void => {
    ended ??= reason;
    socket.destroy();
  };
  const onAbort = (): void => end(options.signal.reason);
  if (options.signal.aborted) onAbort();
  options.signal.addEventListener('abort', onAbort, { once: true });
  const timer = options.clock.setTimeout(
    () => end(new TransportError('timeout', message, { target: options.server.origin })),
    timeout,
  );
  try {
    return await step(socket);
  } catch (error) {
    throw ended ?? error;
  } finally {
    timer.cancel();
    options.signal.removeEventListener('abort', onAbort);
  }
}
