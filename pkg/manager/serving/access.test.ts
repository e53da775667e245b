import { X509Certificate } from 'node:crypto';

import { beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { Client, RawRequest } from '#pkg/client';
import { silentLogger } from '#pkg/log';
import { FakeClock, type TestAuthority, testAuthority } from '#pkg/testing';

import { Authenticator } from './authentication.ts';
import { Authorizer } from './authorization.ts';
import { parseBundle } from './client-certificates.ts';
import type { ClientCertificate, HttpRequest } from './http.ts';
import { guarded } from './routes.ts';
import { testRequest } from './test-request.fixture.ts';
import type { TrustSettings } from './trust.ts';

let authority: TestAuthority;
let proxies: TestAuthority;
let clock: FakeClock;
let asked: RawRequest[];

beforeAll(async () => {
  authority = await testAuthority('clients');
  proxies = await testAuthority('proxies');
});

beforeEach(() => {
  // Certificates of the tests are valid around the present.
  clock = new FakeClock(Date.now());
  asked = [];
});

/** An API server that knows one token and lets `jane` do what she likes. */
const reviewer: Client = {
  resource: () => {
    throw new Error('only reviews');
  },
  request<R>(request: RawRequest): Promise<R> {
    asked.push(request);
    const { spec } = request.body as {
      spec: { token?: string; user?: string; nonResourceAttributes?: { verb: string } };
    };
    if (spec.token === 'broken') return Promise.reject(new Error('no answer'));
    const answer =
      spec.token === undefined
        ? { status: { allowed: spec.user === 'jane', reason: spec.user === 'joe' ? 'joe never may' : '' } }
        : { status: { authenticated: spec.token === 'good', user: { username: 'jane', uid: '1', groups: ['g'] } } };
    return Promise.resolve(answer as R);
  },
};

function authenticator(trust: TrustSettings = {}, withReviewer = true): Authenticator {
  return new Authenticator({
    reviewer: withReviewer ? reviewer : undefined,
    trust: () => trust,
    cacheTtl: 10_000,
    clock,
    log: silentLogger,
  });
}

async function showing(from: TestAuthority, commonName: string, organisation?: string): Promise<ClientCertificate> {
  const { certificate } = await from.issue({ commonName, ...(organisation ? { organisation } : {}) });
  return { chain: [new X509Certificate(certificate)], problem: undefined };
}

const digestOf = ({ chain }: ClientCertificate): string => chain[0]!.fingerprint256.replaceAll(':', '').toLowerCase();

const bearer = (token: string): Partial<HttpRequest> => ({ headers: [['authorization', `Bearer ${token}`]] });

describe('authentication', () => {
  test('who shows nothing is nobody', async () => {
    expect(await authenticator().authenticate(testRequest())).toEqual({
      name: 'system:anonymous',
      groups: ['system:unauthenticated'],
    });
  });

  test('a client certificate names user and groups', async () => {
    const trust = { clientRoots: parseBundle(authority.certificate) };
    const certificate = await showing(authority, 'admin', 'system:masters');
    expect(await authenticator(trust).authenticate(testRequest('/', { certificate }))).toEqual({
      name: 'admin',
      groups: ['system:masters', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${digestOf(certificate)}`] },
    });
  });

  test('one that the handshake found invalid is refused, and one without a name names nobody', async () => {
    const trust = { clientRoots: parseBundle(authority.certificate) };
    const { chain } = await showing(authority, 'admin', 'system:masters');
    const invalid = { chain, problem: 'INVALID_PURPOSE' };
    expect(await authenticator(trust).authenticate(testRequest('/', { certificate: invalid }))).toBeUndefined();
    const nameless = await showing(authority, '');
    expect((await authenticator(trust).authenticate(testRequest('/', { certificate: nameless })))?.name).toBe(
      'system:anonymous',
    );
  });

  test("a certificate of somebody else's is refused, and not looked at where no authority is known", async () => {
    const certificate = await showing(proxies, 'admin', 'system:masters');
    const request = testRequest('/', { certificate });
    expect(
      await authenticator({ clientRoots: parseBundle(authority.certificate) }).authenticate(request),
    ).toBeUndefined();
    expect((await authenticator().authenticate(request))?.name).toBe('system:anonymous');
  });

  test('a token is reviewed once for as long as the answer counts', async () => {
    const tokens = authenticator();
    const user = await tokens.authenticate(testRequest('/', bearer('good')));
    expect(user).toEqual({ name: 'jane', uid: '1', groups: ['g', 'system:authenticated'] });
    await Promise.all([
      tokens.authenticate(testRequest('/', bearer('good'))),
      tokens.authenticate(testRequest('/', bearer('good'))),
    ]);
    expect(asked).toHaveLength(1);
    await clock.step(10_001);
    await tokens.authenticate(testRequest('/', bearer('good')));
    expect(asked).toHaveLength(2);
  });

  test('requests that come together with a new token ask once', async () => {
    const tokens = authenticator();
    await Promise.all([1, 2, 3].map(() => tokens.authenticate(testRequest('/', bearer('good')))));
    expect(asked).toHaveLength(1);
  });

  test.each(['bad', 'broken'])('the token "%s" makes nobody of nobody: refused', async (token) => {
    expect(await authenticator().authenticate(testRequest('/', bearer(token)))).toBeUndefined();
  });

  test.each(['Bearer  good', 'Basic good', 'good', 'Bearer'])('"%s" shows no token', async (value) => {
    const request = testRequest('/', { headers: [['authorization', value]] });
    expect((await authenticator().authenticate(request))?.name).toBe('system:anonymous');
  });

  test('tokens are not looked at where nobody reviews them', async () => {
    expect((await authenticator({}, false).authenticate(testRequest('/', bearer('bad'))))?.name).toBe(
      'system:anonymous',
    );
  });

  describe("by a proxy's headers", () => {
    const settings = (allowedNames: string[] = []): TrustSettings => ({
      requestHeader: {
        roots: parseBundle(proxies.certificate),
        allowedNames,
        usernameHeaders: ['X-Remote-User'],
        uidHeaders: ['X-Remote-Uid'],
        groupHeaders: ['X-Remote-Group'],
        extraHeaderPrefixes: ['X-Remote-Extra-'],
      },
    });
    const headers: HttpRequest['headers'] = [
      ['x-remote-user', 'jürgen'],
      ['x-remote-user', 'bob'],
      ['x-remote-uid', 'u'],
      ['x-remote-group', 'a, system:masters'],
      ['x-remote-group', ''],
      ['x-remote-group', 'b'],
      ['x-remote-extra-scopes%2fx', 's'],
      ['x-remote-extra-scopes%2fx', ''],
      ['x-remote-extra-100%', 'raw'],
      ['x-remote-extra-__proto__', 'own'],
    ];

    test('of a certificate that is trusted for it', async () => {
      const request = testRequest('/', { headers, certificate: await showing(proxies, 'front') });
      expect(await authenticator(settings(['front'])).authenticate(request)).toEqual({
        name: 'jürgen',
        uid: 'u',
        groups: ['a, system:masters', 'b', 'system:authenticated'],
        extra: { 'scopes/x': ['s', ''], '100%': ['raw'], ['__proto__']: ['own'] },
      });
      expect(await authenticator(settings(['other'])).authenticate(request)).toBeUndefined();
    });

    test('not without one', async () => {
      expect((await authenticator(settings()).authenticate(testRequest('/', { headers })))?.name).toBe(
        'system:anonymous',
      );
      const certificate = await showing(authority, 'front');
      expect(await authenticator(settings()).authenticate(testRequest('/', { headers, certificate }))).toBeUndefined();
    });
  });
});

describe('authorization', () => {
  const authorizer = (withReviewer = true): Authorizer =>
    new Authorizer({
      reviewer: withReviewer ? reviewer : undefined,
      alwaysAllowPaths: ['/healthz', '/open/*'],
      allowedTtl: 10_000,
      deniedTtl: 5000,
      clock,
    });
  const get = (name: string, path: string, groups: string[] = []): Parameters<Authorizer['authorize']>[0] => ({
    user: { name, groups },
    verb: 'get',
    path,
  });

  test.each<[string, string, string[], boolean]>([
    ['anyone', '/healthz', [], true],
    ['anyone', '/healthz/ping', [], false],
    ['anyone', '/open/a/b', [], true],
    ['anyone', '/metrics', [], false],
    ['anyone', '/metrics', ['system:masters'], true],
    ['jane', '/metrics', [], true],
  ])('%s may get %s with %j: %s', async (name, path, groups, allowed) => {
    expect((await authorizer().authorize(get(name, path, groups))).allowed).toBe(allowed);
  });

  test('without a reviewer what is not open is closed', async () => {
    expect((await authorizer(false).authorize(get('jane', '/metrics'))).allowed).toBe(false);
  });

  test('answers count for their time, refusals shorter', async () => {
    const reviews = authorizer();
    for (const name of ['jane', 'joe', 'jane', 'joe']) await reviews.authorize(get(name, '/metrics'));
    expect(asked).toHaveLength(2);
    await clock.step(5001);
    for (const name of ['jane', 'joe']) await reviews.authorize(get(name, '/metrics'));
    expect(asked).toHaveLength(3);
    await reviews.authorize(get('jane', '/configz'));
    expect(asked).toHaveLength(4);
  });
});

describe('the guard', () => {
  const inner = (): { status: number; body: string } => ({ status: 200, body: 'inside' });
  const guard = guarded(inner, {
    authenticator: new Authenticator({
      reviewer,
      trust: () => ({}),
      cacheTtl: 0,
      clock: new FakeClock(),
      log: silentLogger,
    }),
    authorizer: new Authorizer({
      reviewer,
      alwaysAllowPaths: ['/healthz'],
      allowedTtl: 0,
      deniedTtl: 0,
      clock: new FakeClock(),
    }),
    log: silentLogger,
  });

  test.each<[string, Partial<HttpRequest>, number]>([
    ['/healthz', {}, 200],
    ['/metrics', {}, 403],
    ['/metrics', bearer('good'), 200],
    ['/healthz', bearer('bad'), 401],
  ])('%s with %o: %i', async (path, more, status) => {
    expect((await guard(testRequest(path, more))).status).toBe(status);
  });

  test('words refusals as the generic API server does', async () => {
    const refused = await guard(testRequest('/metrics<'));
    expect(JSON.parse(refused.body as string)).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      reason: 'Forbidden',
      details: {},
      code: 403,
      message: 'forbidden: User "system:anonymous" cannot get path "/metrics%3C"',
    });
    const pretty = await guard(
      testRequest('/x', {
        headers: [
          ['authorization', 'Bearer bad'],
          ['user-agent', 'curl/8'],
        ],
      }),
    );
    expect(pretty.body).toBe(
      '{\n  "kind": "Status",\n  "apiVersion": "v1",\n  "metadata": {},\n  "status": "Failure",\n  "message": "Unauthorized",\n  "reason": "Unauthorized",\n  "code": 401\n}',
    );
  });
});
