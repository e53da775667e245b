import { type Clock, describeError } from '#pkg/base';
import type { Client } from '#pkg/client';

import { ExpiringCache } from './expiring-cache.ts';
import { MASTERS, type User } from './user.ts';

export interface Access {
  readonly user: User;
  /** Lower case method: `get`. */
  readonly verb: string;
  readonly path: string;
}

export interface Decision {
  readonly allowed: boolean;
  /** To go behind the message of a refusal; mostly empty. */
  readonly reason: string;
}

export interface AuthorizerOptions {
  /** Reviews access; without it only groups and paths decide. */
  readonly reviewer: Client | undefined;
  /** `/healthz`, `/metrics/*` */
  readonly alwaysAllowPaths: readonly string[];
  readonly allowedTtl: number;
  readonly deniedTtl: number;
  readonly clock: Clock;
}

const REVIEW_TIMEOUT = 10_000;
const ALLOWED: Decision = { allowed: true, reason: '' };
const DENIED: Decision = { allowed: false, reason: '' };
/** Longer subjects are not worth the memory (the webhook authorizer's rule against filling the cache). */
const LONGEST_KEY = 10_000;

/**
 * Authorization delegated to the API server: masters may do all, some paths are open to everyone, the rest is asked for
 * (`DelegatingAuthorizationOptions` of the generic API server).
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #decisions: ExpiringCache<Decision>;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#decisions = new ExpiringCache(options.clock);
  }

  /** Rejects when the API server gives no answer. */
  async authorize(access: Access): Promise<Decision> {
    if (access.user.groups.includes(MASTERS)) return ALLOWED;
    if (this.#isOpen(access.path)) return ALLOWED;
    const { reviewer, allowedTtl, deniedTtl } = this.#options;
    if (!reviewer) return DENIED;
    const key = JSON.stringify([access.user, access.verb, access.path]);
    const known = this.#decisions.get(key);
    if (known) return known;
    const decision = await reviewAccess(reviewer, access);
    if (key.length <= LONGEST_KEY) this.#decisions.set(key, decision, decision.allowed ? allowedTtl : deniedTtl);
    return decision;
  }

  #isOpen(path: string): boolean {
    const wanted = path.replace(/^\//, '');
    return this.#options.alwaysAllowPaths
      .map((open) => open.replace(/^\//, ''))
      .some((open) => (open.endsWith('*') ? wanted.startsWith(open.slice(0, -1)) : wanted === open));
  }
}

interface SubjectAccessReview {
  readonly status?: { readonly allowed?: boolean; readonly denied?: boolean; readonly reason?: string };
}

async function reviewAccess(client: Client, { user, verb, path }: Access): Promise<Decision> {
  const { name, groups, uid, extra } = user;
  const spec = {
    user: name,
    groups,
    ...(uid === undefined ? {} : { uid }),
    ...(extra === undefined ? {} : { extra }),
    nonResourceAttributes: { path, verb },
  };
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
  try {
    const review = await client.request<SubjectAccessReview>(
      { method: 'POST', path: '/apis/authorization.k8s.io/v1/subjectaccessreviews', body },
      { timeout: REVIEW_TIMEOUT },
    );
    return { allowed: review.status?.allowed === true, reason: review.status?.reason ?? '' };
  } catch (error) {
    throw new Error(`access cannot be reviewed: ${describeError(error)}`, { cause: error });
  }
}
