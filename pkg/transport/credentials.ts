import { setOwnValue } from '#pkg/base';
import { readFile } from 'node:fs/promises';

import type { Clock } from '#pkg/base';
import { TransportError } from '#pkg/client';
import type { Logger } from '#pkg/log';

import type { ClientCertificate } from './tls-material.ts';

/** Lower-case names; an array for a header that is sent once a value. */
export type Headers = Readonly<Record<string, string | string[]>>;

/** Identifies this process to the API server, beyond a client certificate from files. */
export interface Credentials {
  /** What each request carries. Synchronous as long as nothing has to be fetched. */
  headers(): Headers | Promise<Headers>;
  /** A certificate that comes with the credentials; the same object until it changes. */
  clientCertificate?(): ClientCertificate | undefined | Promise<ClientCertificate | undefined>;
  /** The server answered 401 to `used`: resolves to whether there are others now, with which it is worth asking again. */
  refused?(used: Headers): Promise<boolean>;
}

export const anonymous: Credentials = { headers: () => ({}) };

export function bearerToken(token: string): Credentials {
  const headers = { authorization: `Bearer ${token}` };
  return { headers: () => headers };
}

export function basicAuth(username: string, password: string): Credentials {
  const headers = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  return { headers: () => headers };
}

/** Read again after a minute less some leeway (`NewCachedFileTokenSource` of client-go): kubelets refresh these files. */
const TOKEN_AGE = 50_000;

/** A bearer token in a file that is replaced while we run. A later read that fails leaves the last token in use. */
export function tokenFile(path: string, clock: Clock, log: Logger): Credentials {
  let headers: Headers | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<Headers> | undefined;

  async function read(): Promise<Headers> {
    try {
      const token = (await readFile(path, 'utf8')).trim();
      if (token === '') throw new Error('it is empty');
      const authorization = `Bearer ${token}`;
      if (headers?.authorization !== authorization) headers = { authorization };
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause);
      if (headers === undefined)
        throw new TransportError('credentials', `cannot read the token file ${path}: ${text}`, {}, { cause });
      log.warning('The token file cannot be read, keeping the last token', { file: path, error: cause });
    }
    readAt = clock.monotonic();
    return headers;
  }
  const readOnce = (): Promise<Headers> => (reading ??= read().finally(() => (reading = undefined)));

  return {
    headers: () => (headers !== undefined && clock.monotonic() - readAt < TOKEN_AGE ? headers : readOnce()),
    refused: async (used) => (await readOnce()).authorization !== used.authorization,
  };
}

export interface Impersonation {
  readonly user: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Adds the headers with which the server acts as someone else. */
export function impersonating(credentials: Credentials, as: Impersonation): Credentials {
  const own: Record<string, string | string[]> = { 'impersonate-user': as.user };
  if (as.uid) own['impersonate-uid'] = as.uid;
  if (as.groups?.length) own['impersonate-group'] = [...as.groups];
  for (const [name, values] of Object.entries(as.extra ?? {})) {
    setOwnValue(own, `impersonate-extra-${encodeURIComponent(name.toLowerCase())}`, [...values]);
  }

  const known = new WeakMap<Headers, Headers>();
  const add = (headers: Headers): Headers => {
    let all = known.get(headers);
    if (all === undefined) known.set(headers, (all = { ...headers, ...own }));
    return all;
  };
  return {
    headers: () => {
      const headers = credentials.headers();
      return headers instanceof Promise ? headers.then(add) : add(headers);
    },
    clientCertificate: () => credentials.clientCertificate?.(),
    refused: async (used) => (await credentials.refused?.(used)) ?? false,
  };
}
