import { X509Certificate } from 'node:crypto';
import { type SecureContext, type SecureContextOptions, createSecureContext } from 'node:tls';

import { type Clock, describeError } from '#pkg/base';
import type { Logger } from '#pkg/log';

import { ManagerError } from '../errors.ts';
import type { NamedCertKey } from '../options/flag.ts';
import type { FileWatch } from './file-watch.ts';
import type { CertificatePair } from './self-signed.ts';
import { checkPair, readNamed, watchPair } from './serving-certificate.ts';

interface Entry {
  readonly explicit: boolean;
  names: readonly string[];
  context: SecureContext;
  pair: CertificatePair;
  readonly named: NamedCertKey;
}

/**
 * The certificates of `--tls-sni-cert-key` by the name a client asks for: an exact name before a wildcard, a name of the
 * flag before one of the certificate (`apiserver/pkg/server/dynamiccertificates`). Each is reloaded when its files change.
 */
export class SniContexts {
  readonly #entries: Entry[] = [];
  readonly #watches: FileWatch[] = [];
  readonly #common: () => SecureContextOptions;

  private constructor(common: () => SecureContextOptions) {
    this.#common = common;
  }

  static async load(
    pairs: readonly NamedCertKey[],
    common: () => SecureContextOptions,
    tools: { readonly clock: Clock; readonly log: Logger },
  ): Promise<SniContexts> {
    const contexts = new SniContexts(common);
    for (const named of pairs) {
      const pair = await loadNamedPair(named);
      const entry: Entry = { explicit: named.names.length > 0, named, ...contents(named, pair, common()) };
      contexts.#entries.push(entry);
      contexts.#watches.push(
        watchPair([named.certFile, named.keyFile], pair, tools, (fresh) =>
          Object.assign(entry, contents(named, fresh, common())),
        ),
      );
    }
    return contexts;
  }

  /** Takes over what is common to all contexts, after it has changed. */
  renew(): void {
    for (const entry of this.#entries) Object.assign(entry, contents(entry.named, entry.pair, this.#common()));
  }

  /** Nothing where no pair is for the name: the default certificate answers. */
  contextFor(name: string): SecureContext | undefined {
    const wanted = name.toLowerCase();
    const wildcard = `*${wanted.slice(Math.max(wanted.indexOf('.'), 0))}`;
    const find = (explicit: boolean, pattern: string): Entry | undefined =>
      this.#entries.find((entry) => entry.explicit === explicit && entry.names.includes(pattern));
    return (find(true, wanted) ?? find(false, wanted) ?? find(true, wildcard) ?? find(false, wildcard))?.context;
  }

  close(): void {
    for (const watch of this.#watches) watch.close();
  }
}

/** A pair of `--tls-sni-cert-key`. Throws `BadFile`. */
async function loadNamedPair(named: NamedCertKey): Promise<CertificatePair> {
  const flag = '--tls-sni-cert-key';
  const pair = { certificate: await readNamed(flag, named.certFile), key: await readNamed(flag, named.keyFile) };
  try {
    checkPair(pair);
  } catch (error) {
    throw new ManagerError(
      'BadFile',
      `${flag}: "${named.certFile}", "${named.keyFile}": ${describeError(error)}`,
      { flag },
      { cause: error },
    );
  }
  return pair;
}

function contents(
  named: NamedCertKey,
  pair: CertificatePair,
  common: SecureContextOptions,
): Pick<Entry, 'names' | 'context' | 'pair'> {
  const names = named.names.length > 0 ? named.names : namesOf(new X509Certificate(pair.certificate));
  const context = createSecureContext({ ...common, cert: pair.certificate, key: pair.key });
  return { names: names.map((name) => name.toLowerCase()), context, pair };
}

function namesOf(certificate: X509Certificate): string[] {
  const alternatives = (certificate.subjectAltName ?? '').split(', ');
  const names = alternatives.filter((entry) => entry.startsWith('DNS:')).map((entry) => entry.slice('DNS:'.length));
  if (names.length > 0) return names;
  const commonName = /(?:^|\n)CN=(.*)/.exec(certificate.subject)?.[1];
  return commonName === undefined ? [] : [commonName];
}
