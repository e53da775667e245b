import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type SecureContext, createSecureContext, getCACertificates, rootCertificates } from 'node:tls';

import type { Clock } from '#pkg/base';
import { TransportError } from '#pkg/client';
import type { Logger } from '#pkg/log';

/** PEM text, or the file it is in, which may be replaced while we run. */
export type Pem = { readonly file: string } | { readonly data: string };

export interface TlsSources {
  /** Certificates of authorities that may vouch for the server; the machine's authorities where missing. */
  readonly ca?: Pem;
  readonly certificate?: Pem;
  readonly key?: Pem;
  /** Name to expect in the server's certificate, and to ask for, instead of the address's. */
  readonly serverName?: string;
  /** Accept any server certificate. */
  readonly insecure?: boolean;
}

/** What a new session's handshake needs. The same object is returned until something in it changes. */
export interface TlsMaterial {
  readonly context: SecureContext;
  readonly serverName?: string;
  readonly insecure: boolean;
}

export interface ClientCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** How old what was read may be before files are looked at again, ms. */
const READ_AGAIN = 10_000;

/**
 * The TLS side of a connection from files or data. Files are read again for new requests when the last look is some
 * seconds ago; a rotation that is only half done, or unreadable, leaves what was there before in use.
 */
export class TlsMaterialSource {
  readonly #sources: TlsSources;
  readonly #clock: Clock;
  readonly #log: Logger;
  #current: TlsMaterial | undefined;
  #fingerprint = '';
  #client: ClientCertificate | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<TlsMaterial> | undefined;

  constructor(sources: TlsSources, clock: Clock, log: Logger) {
    this.#sources = sources;
    this.#clock = clock;
    this.#log = log;
  }

  /** `client`: a certificate from elsewhere (an exec plugin), which wins over none. */
  current(client?: ClientCertificate): TlsMaterial | Promise<TlsMaterial> {
    const fresh = client === this.#client && this.#clock.monotonic() - this.#readAt < READ_AGAIN;
    if (this.#current !== undefined && fresh) return this.#current;
    return (this.#reading ??= this.#read(client).finally(() => (this.#reading = undefined)));
  }

  async #read(client: ClientCertificate | undefined): Promise<TlsMaterial> {
    const { ca, certificate, key, serverName, insecure = false } = this.#sources;
    try {
      const [caText, certificateText, keyText] = await Promise.all([load(ca), load(certificate), load(key)]);
      const clientCertificate = certificateText ?? client?.certificate;
      const clientKey = keyText ?? client?.key;
      const fingerprint = JSON.stringify([caText, clientCertificate, clientKey]);
      if (this.#current === undefined || fingerprint !== this.#fingerprint) {
        const context = createSecureContext({
          // The machine's hundreds of authorities take a third of a second of CPU; where anyone is trusted, nobody is asked.
          ...(caText === undefined ? (insecure ? { ca: [] } : { ca: machineAuthorities() }) : { ca: caText }),
          ...(clientCertificate === undefined ? {} : { cert: clientCertificate }),
          ...(clientKey === undefined ? {} : { key: clientKey }),
        });
        if (clientCertificate !== undefined) this.#warnIfExpired(clientCertificate);
        if (this.#current !== undefined) this.#log.info('TLS files changed: new connections use them');
        this.#current = { context, insecure, ...(serverName === undefined ? {} : { serverName }) };
        this.#fingerprint = fingerprint;
      }
    } catch (cause) {
      if (this.#current === undefined) throw unusable(cause);
      this.#log.warning('TLS files cannot be used, keeping what was read before', { error: cause });
    }
    this.#client = client;
    this.#readAt = this.#clock.monotonic();
    return this.#current;
  }

  #warnIfExpired(pem: string): void {
    const end = Date.parse(new X509Certificate(pem).validTo);
    if (end >= this.#clock.now()) return;
    const source = this.#sources.certificate;
    this.#log.warning('The client certificate has expired: the API server will refuse it', {
      certificate: source !== undefined && 'file' in source ? source.file : 'given as data',
      expired: new Date(end).toISOString(),
    });
  }
}

async function load(pem: Pem | undefined): Promise<string | undefined> {
  if (pem === undefined) return undefined;
  return 'file' in pem ? readFile(pem.file, 'utf8') : pem.data;
}

function machineAuthorities(): string[] {
  return [...new Set([...rootCertificates, ...getCACertificates('system'), ...getCACertificates('extra')])];
}

function unusable(cause: unknown): TransportError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new TransportError(
    'credentials',
    `the certificates for the connection cannot be used: ${text}`,
    {},
    { cause },
  );
}
