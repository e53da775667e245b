import { type X509Certificate, createHmac, randomBytes } from 'node:crypto';

import { type Clock, describeError } from '#pkg/base';
import type { Client } from '#pkg/client';
import type { Logger } from '#pkg/log';

import { USER_ID, commonNameOf, subjectValues, whyUntrusted } from './client-certificates.ts';
import { ExpiringCache } from './expiring-cache.ts';
import { type HttpRequest, header, headerValues } from './http.ts';
import { BAD_ESCAPE, unescapeBytes } from './request-target.ts';
import type { TrustSettings } from './trust.ts';
import { ANONYMOUS, type User, authenticated } from './user.ts';

/** A way of being known: the user, nothing where the request does not use this way, or an Error where it uses it wrongly. */
type Way = (request: HttpRequest) => User | undefined | Promise<User | undefined>;

export interface AuthenticatorOptions {
  /** Reviews tokens; without it tokens are not looked at. */
  readonly reviewer: Client | undefined;
  /** Authorities and headers as they are now. */
  readonly trust: () => TrustSettings;
  /** How long a review counts, ms. */
  readonly cacheTtl: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Reviews that fail count this long, ms: enough that a storm of bad tokens costs little. */
const FAILURE_TTL = 10_000;
const REVIEW_TIMEOUT = 10_000;

/**
 * Authentication delegated to the API server, in the generic API server's order: a proxy's headers, a client
 * certificate, a bearer token, nobody. Who uses one of them wrongly is refused and never taken for nobody.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #ways: readonly Way[];
  readonly #reviews: ExpiringCache<User | 'refused'>;
  readonly #underWay = new Map<string, Promise<User | 'refused'>>();
  /** Tokens are kept under their digest with this, so that a heap profile has none. */
  readonly #salt = randomBytes(32);

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#reviews = new ExpiringCache(options.clock);
    this.#ways = [
      (request) => this.#byHeaders(request),
      (request) => this.#byCertificate(request),
      (request) => this.#byToken(request),
    ];
  }

  /** The sender; undefined where credentials were shown that nobody accepts. */
  async authenticate(request: HttpRequest): Promise<User | undefined> {
    const failures: string[] = [];
    for (const way of this.#ways) {
      try {
        const user = await way(request);
        if (user) return authenticated(user);
      } catch (error) {
        failures.push(describeError(error));
      }
    }
    if (failures.length === 0) return ANONYMOUS;
    this.#options.log
      .v(1)
      ?.info('Unable to authenticate the request', { err: failures.join(', '), remoteAddress: request.remoteAddress });
    return undefined;
  }

  #byHeaders(request: HttpRequest): User | undefined {
    const settings = this.#options.trust().requestHeader;
    const { certificate } = request;
    const leaf = certificate?.chain[0];
    if (!settings || !leaf) return undefined;
    const problem = whyUntrusted(certificate, settings.roots, this.#options.clock.now());
    // An error and not "no opinion": a certificate that nobody accepts is never taken for no certificate.
    if (problem !== undefined) throw new Error(problem);
    const commonName = commonNameOf(leaf);
    if (settings.allowedNames.length > 0 && !settings.allowedNames.includes(commonName))
      throw new Error(`x509: subject with cn=${commonName} is not in the allowed list`);
    const name = firstHeader(request, settings.usernameHeaders);
    if (name === undefined) return undefined;
    const uid = firstHeader(request, settings.uidHeaders);
    return {
      name,
      ...(uid === undefined ? {} : { uid }),
      groups: settings.groupHeaders
        .flatMap((headerName) => headerValues(request, headerName))
        .filter((group) => group !== ''),
      extra: extraHeaders(request, settings.extraHeaderPrefixes),
    };
  }

  #byCertificate(request: HttpRequest): User | undefined {
    const { clientRoots } = this.#options.trust();
    const { certificate } = request;
    const leaf = certificate?.chain[0];
    if (!clientRoots || !leaf) return undefined;
    const problem = whyUntrusted(certificate, clientRoots, this.#options.clock.now());
    if (problem !== undefined) throw new Error(`verifying certificate SN=${leaf.serialNumber}: ${problem}`);
    const name = commonNameOf(leaf);
    return name === ''
      ? undefined
      : { name, ...userId(leaf), groups: subjectValues(leaf, 'O'), extra: credential(leaf) };
  }

  async #byToken(request: HttpRequest): Promise<User | undefined> {
    const { reviewer, cacheTtl } = this.#options;
    const [scheme = '', token = ''] = (header(request, 'authorization') ?? '').trim().split(' ', 2);
    if (!reviewer || scheme.toLowerCase() !== 'bearer' || token === '') return undefined;
    const key = createHmac('sha256', this.#salt).update(token).digest('base64');
    let user = this.#reviews.get(key);
    if (user === undefined) {
      // Many requests with one token ask once.
      const review = this.#underWay.get(key) ?? reviewToken(reviewer, token);
      this.#underWay.set(key, review);
      try {
        user = await review;
      } finally {
        this.#underWay.delete(key);
      }
      this.#reviews.set(key, user, user === 'refused' ? Math.min(cacheTtl, FAILURE_TTL) : cacheTtl);
    }
    if (user === 'refused') throw new Error('invalid bearer token');
    return user;
  }
}

interface TokenReview {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly user?: {
      readonly username?: string;
      readonly uid?: string;
      readonly groups?: readonly string[];
      readonly extra?: User['extra'];
    };
  };
}

async function reviewToken(client: Client, token: string): Promise<User | 'refused'> {
  const review = await client.request<TokenReview>(
    {
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } },
    },
    { timeout: REVIEW_TIMEOUT },
  );
  const user = review.status?.user;
  if (!review.status?.authenticated || !user?.username) return 'refused';
  return {
    name: user.username,
    groups: user.groups ?? [],
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    ...(user.extra === undefined ? {} : { extra: user.extra }),
  };
}

function firstHeader(request: HttpRequest, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = header(request, name);
    if (value) return value;
  }
  return undefined;
}

/** Keys are escaped to be header names; every value of every header with a prefix counts, also an empty one. */
function extraHeaders(request: HttpRequest, prefixes: readonly string[]): Record<string, string[]> {
  const extra = new Map<string, string[]>();
  for (const prefix of prefixes) {
    for (const [name, value] of request.headers) {
      if (!name.startsWith(prefix.toLowerCase())) continue;
      const key = unescapeKey(name.slice(prefix.length));
      extra.set(key, [...(extra.get(key) ?? []), value]);
    }
  }
  return Object.fromEntries(extra);
}

/** A key that is not escaped well counts as it stands. */
function unescapeKey(key: string): string {
  return BAD_ESCAPE.test(key) ? key : unescapeBytes(key);
}

/** `parseUIDFromCert` of `apiserver/pkg/authentication/request/x509`. */
function userId(leaf: X509Certificate): { readonly uid?: string } {
  const [uid, ...more] = subjectValues(leaf, USER_ID);
  if (uid === undefined) return {};
  if (more.length > 0) throw new Error('expected 1 UID, but found multiple');
  if (uid === '') throw new Error('UID cannot be an empty string');
  return { uid };
}

/** Tells webhooks and the audit log which certificate it was (`user.CredentialIDKey`). */
function credential(leaf: X509Certificate): User['extra'] {
  const digest = leaf.fingerprint256.replaceAll(':', '').toLowerCase();
  return { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${digest}`] };
}
