import type { X509Certificate } from 'node:crypto';

import { type Clock, type Random, Backoff, describeError, sleep, ownValue, parseJson } from '#pkg/base';
import type { Client } from '#pkg/client';
import type { Logger } from '#pkg/log';

import { ManagerError } from '../errors.ts';
import type { ManagerFlagValues } from '../options/sections.ts';
import { parseBundle } from './client-certificates.ts';
import { FileWatch } from './file-watch.ts';
import { readNamed } from './serving-certificate.ts';

/** The authorities that are trusted about who a client is. */
export interface TrustSettings {
  /** Authorities of client certificates. */
  readonly clientRoots?: readonly X509Certificate[];
  readonly requestHeader?: RequestHeaderSettings;
}

/** The authorities of proxies that name the user in headers. */
export interface RequestHeaderSettings {
  readonly roots: readonly X509Certificate[];
  /** Empty: any that the roots signed. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
}

export interface TrustOptions {
  readonly flags: ManagerFlagValues;
  /** Reads the cluster's settings; without it there are only those of the flags. */
  readonly client: Client | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const NAMESPACE = 'kube-system';
const NAME = 'extension-apiserver-authentication';
/** Between two reads of the cluster's settings once they are there, ms: authorities change seldom and with overlap. */
const REREAD = 60_000;

/**
 * Keeps the settings current: files by looking at them again, the rest from the config map that the API server publishes
 * for this (`DelegatingAuthenticationOptions` of the generic API server). Where the original ends when the config map
 * cannot be read at the start, we go on asking, and know nobody until then.
 */
export class Trust {
  #fromFiles: TrustSettings = {};
  #fromCluster: TrustSettings = {};
  readonly #watches: FileWatch[] = [];
  readonly #listeners: (() => void)[] = [];
  readonly #options: TrustOptions;

  private constructor(options: TrustOptions) {
    this.#options = options;
  }

  /** Throws `BadFile` where a file named by a flag is no good. */
  static async load(options: TrustOptions): Promise<Trust> {
    const trust = new Trust(options);
    await trust.#watch('client-ca-file', (clientRoots) => ({ ...trust.#fromFiles, clientRoots }));
    await trust.#watch('requestheader-client-ca-file', (roots) => ({
      ...trust.#fromFiles,
      requestHeader: headerFlags(options.flags, roots),
    }));
    return trust;
  }

  /** Flags before the cluster. */
  readonly settings = (): TrustSettings => ({ ...this.#fromCluster, ...this.#fromFiles });

  /** Every authority there is, of clients and of proxies; PEM. */
  readonly authorities = (): readonly string[] => {
    const { clientRoots = [], requestHeader } = this.settings();
    return [...new Set([...clientRoots, ...(requestHeader?.roots ?? [])].map((root) => root.toString()))];
  };

  /** Calls back whenever the authorities have changed. */
  readonly onChange = (listener: () => void): void => void this.#listeners.push(listener);

  /** Reads the cluster's settings again and again until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { flags, client, log, clock, random } = this.#options;
    const missing = [
      ...(this.#fromFiles.clientRoots ? [] : ['client-ca-file']),
      ...(this.#fromFiles.requestHeader ? [] : ['requestheader-client-ca-file']),
    ];
    if (missing.length === 0 || flags['authentication-skip-lookup']) return;
    if (!client) {
      for (const key of missing) {
        log.warning(
          'No authentication-kubeconfig provided to look this up in the cluster, so clients cannot be known by it',
          { key },
        );
      }
      return;
    }
    const backoff = new Backoff({ initial: 1000, max: 30_000, factor: 2, jitter: 0.2 }, random);
    let complained = '';
    while (!signal.aborted) {
      let pause = REREAD;
      try {
        await this.#lookUp(client, signal);
        backoff.reset();
        complained = '';
      } catch (error) {
        if (signal.aborted) return;
        pause = backoff.next();
        const complaint = describeError(error);
        if (complaint !== complained)
          log.error("Cannot read the cluster's authentication settings, will retry", error, {
            configMap: `${NAMESPACE}/${NAME}`,
          });
        complained = complaint;
      }
      await sleep(clock, pause, signal).catch(() => {});
    }
  }

  close(): void {
    for (const watch of this.#watches) watch.close();
  }

  async #watch(
    flag: 'client-ca-file' | 'requestheader-client-ca-file',
    settings: (roots: readonly X509Certificate[]) => TrustSettings,
  ): Promise<void> {
    const { flags, clock, log } = this.#options;
    const path = flags[flag];
    if (path === '') return;
    const bundle = await readNamed(`--${flag}`, path);
    const use = (contents: readonly string[]): void => {
      const fresh = settings(parseBundle(contents[0]!));
      this.#change(() => (this.#fromFiles = fresh));
    };
    try {
      use([bundle]);
    } catch (error) {
      throw new ManagerError(
        'BadFile',
        `--${flag}: "${path}": ${describeError(error)}`,
        { flag, path },
        { cause: error },
      );
    }
    this.#watches.push(new FileWatch({ paths: [path], clock, log }, [bundle], use));
  }

  async #lookUp(client: Client, signal: AbortSignal): Promise<void> {
    const path = `/api/v1/namespaces/${NAMESPACE}/configmaps/${NAME}`;
    const { data = {} } = await client.request<{ readonly data?: Readonly<Record<string, string>> }>(
      { method: 'GET', path },
      { signal },
    );
    const clientCa = data['client-ca-file'];
    const headerCa = data['requestheader-client-ca-file'];
    const list = (key: string): readonly string[] => {
      const value: unknown = parseJson(ownValue(data, key) ?? '[]');
      return Array.isArray(value) ? value.map(String) : [];
    };
    const settings: TrustSettings = {
      ...(clientCa ? { clientRoots: parseBundle(clientCa) } : {}),
      ...(headerCa
        ? {
            requestHeader: {
              roots: parseBundle(headerCa),
              allowedNames: list('requestheader-allowed-names'),
              usernameHeaders: list('requestheader-username-headers'),
              uidHeaders: list('requestheader-uid-headers'),
              groupHeaders: list('requestheader-group-headers'),
              extraHeaderPrefixes: list('requestheader-extra-headers-prefix'),
            },
          }
        : {}),
    };
    this.#change(() => (this.#fromCluster = settings));
  }

  #change(change: () => void): void {
    const before = this.authorities().join('');
    change();
    if (this.authorities().join('') !== before) for (const listener of this.#listeners) listener();
  }
}

function headerFlags(flags: ManagerFlagValues, roots: readonly X509Certificate[]): RequestHeaderSettings {
  return {
    roots,
    allowedNames: flags['requestheader-allowed-names'],
    usernameHeaders: flags['requestheader-username-headers'],
    uidHeaders: flags['requestheader-uid-headers'],
    groupHeaders: flags['requestheader-group-headers'],
    extraHeaderPrefixes: flags['requestheader-extra-headers-prefix'],
  };
}
