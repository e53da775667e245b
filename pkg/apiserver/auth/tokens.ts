import { ownValue, setOwnValue } from '#pkg/base';
import { generateKeyPairSync } from 'node:crypto';
import type { Clock } from '#pkg/base';
import { type JWK, SignJWT, calculateJwkThumbprint, exportJWK, jwtVerify } from 'jose';
import type { User } from '../exchange.ts';
import { type JsonObject, isJsonObject, objectAt, stringAt } from '../json.ts';
import type { Store } from '../store/index.ts';
import { serviceAccountUser } from './users.ts';

export const ISSUER = 'https://kubernetes.default.svc.cluster.local';

export interface TokenRequest {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  /** The Pod, Secret or Node that the token is good for as long as it lives. */
  readonly bound?: { readonly kind: string; readonly name: string; readonly uid: string };
  readonly tokenId: string;
}

export interface VerifiedToken {
  readonly user: User;
  readonly audiences: readonly string[];
}

const ALGORITHM = 'ES256';

/** Issues and checks the tokens of service accounts, and knows the static ones. */
export class TokenIssuer {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #static: Map<string, User>;
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  /** Claims of tokens whose signature has been checked. */
  readonly #checked = new Map<string, JsonObject>();
  #publicKey: Promise<JWK> | undefined;

  constructor(store: Store, clock: Clock, staticTokens: ReadonlyMap<string, User> = new Map()) {
    this.#store = store;
    this.#clock = clock;
    this.#static = new Map(staticTokens);
  }

  /** A token of fixed content that stands for `user` as long as the server runs. */
  addStatic(token: string, user: User): void {
    this.#static.set(token, user);
  }

  async issue(request: TokenRequest): Promise<{ token: string; expires: number }> {
    const now = Math.floor(this.#clock.now() / 1000);
    const { namespace, name, uid, bound } = request;
    const claims = {
      'kubernetes.io': {
        namespace,
        ...(bound === undefined ? {} : { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } }),
        serviceaccount: { name, uid },
      },
    };
    const { kid } = await this.#jwk();
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, kid: kid! })
      .setIssuer(ISSUER)
      .setSubject(`system:serviceaccount:${namespace}:${name}`)
      .setAudience([...request.audiences])
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + request.expirationSeconds)
      .setJti(request.tokenId)
      .sign(this.#keys.privateKey);
    return { token, expires: (now + request.expirationSeconds) * 1000 };
  }

  /** Undefined where the token is not, or no longer, good. */
  async verify(token: string, audiences: readonly string[] = [ISSUER]): Promise<VerifiedToken | undefined> {
    const known = this.#static.get(token);
    if (known !== undefined) return { user: known, audiences };
    const claims = await this.#claims(token);
    if (claims === undefined || Number(claims['exp']) * 1000 <= this.#clock.now()) return undefined;
    const given = claims['aud'];
    const meant = audiences.filter((audience) =>
      Array.isArray(given) ? given.includes(audience) : given === audience,
    );
    const user = this.#accountOf(claims);
    return meant.length === 0 || user === undefined ? undefined : { user, audiences: meant };
  }

  /** For whoever checks tokens without asking the server (`/openid/v1/jwks`). */
  async keySet(): Promise<JsonObject> {
    return { keys: [await this.#jwk()] };
  }

  async #claims(token: string): Promise<JsonObject | undefined> {
    const known = this.#checked.get(token);
    if (known !== undefined) return known;
    try {
      const options = { issuer: ISSUER, currentDate: new Date(this.#clock.now()) };
      const { payload } = await jwtVerify(token, this.#keys.publicKey, options);
      if (this.#checked.size > 1000) this.#checked.clear();
      this.#checked.set(token, payload);
      return payload;
    } catch {
      return undefined;
    }
  }

  /** The account must still be there, the same one, and so must what the token is bound to. */
  #accountOf(claims: JsonObject): User | undefined {
    const own = objectAt(claims, 'kubernetes.io');
    const namespace = stringAt(own, 'namespace') ?? '';
    const name = stringAt(objectAt(own, 'serviceaccount'), 'name') ?? '';
    const uid = stringAt(objectAt(own, 'serviceaccount'), 'uid') ?? '';
    if (this.#uidOf('serviceaccounts', `${namespace}/${name}`) !== uid) return undefined;
    const extra: Record<string, readonly string[]> = {};
    if (typeof claims['jti'] === 'string')
      extra['authentication.kubernetes.io/credential-id'] = [`JTI=${claims['jti']}`];
    for (const kind of ['pod', 'secret', 'node']) {
      const bound = ownValue(own, kind);
      if (!isJsonObject(bound)) continue;
      const key = kind === 'node' ? String(bound['name']) : `${namespace}/${String(bound['name'])}`;
      if (this.#uidOf(`${kind}s`, key) !== bound['uid']) return undefined;
      if (kind === 'secret') continue;
      setOwnValue(extra, `authentication.kubernetes.io/${kind}-name`, [String(bound['name'])]);
      setOwnValue(extra, `authentication.kubernetes.io/${kind}-uid`, [String(bound['uid'])]);
    }
    return serviceAccountUser(namespace, name, uid, extra);
  }

  #uidOf(resource: string, key: string): string | undefined {
    return stringAt(this.#store.get(resource, key)?.object['metadata'], 'uid');
  }

  #jwk(): Promise<JWK> {
    this.#publicKey ??= exportJWK(this.#keys.publicKey).then(async (jwk) => {
      const kid = await calculateJwkThumbprint(jwk);
      return { use: 'sig', alg: ALGORITHM, kid, ...jwk };
    });
    return this.#publicKey;
  }
}
