import http2 from 'node:http2';
import https from 'node:https';
import { gunzipSync } from 'node:zlib';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { type ApiServer, type RunningServer, createApiServer } from '../api-server.ts';
import { CertificateAuthority, type KeyPair } from './certificates.ts';
import { systemClock } from '#pkg/base';

let server: ApiServer;
let running: RunningServer;

beforeEach(async () => {
  server = createApiServer();
  running = await server.serve();
});
afterEach(() => server.close());

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

interface Ask {
  readonly path: string;
  readonly pair?: KeyPair;
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly body?: string;
}

function overHttp1({ path, pair, headers = {}, method = 'GET', body }: Ask): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const tls = { ca: running.ca, agent: false as const, ...pair, ALPNProtocols: ['http/1.1'] };
    const request = https.request(`${running.url}${path}`, { ...tls, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const text = response.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
        resolve({ status: response.statusCode!, text: text.toString(), headers: response.headers });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

function overHttp2({ path, pair, headers = {}, method = 'GET', body }: Ask): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(running.url, { ca: running.ca, ...pair });
    session.on('error', reject);
    const stream = session.request({ ':method': method, ':path': path, ...headers });
    const chunks: Buffer[] = [];
    let status = 0;
    let answered: http2.IncomingHttpHeaders = {};
    stream.on('response', (head) => {
      status = Number(head[':status']);
      answered = head;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      session.close();
      resolve({ status, text: Buffer.concat(chunks).toString(), headers: answered });
    });
    stream.on('error', reject);
    stream.end(body);
  });
}

describe.each([
  ['HTTP/1.1', overHttp1],
  ['HTTP/2', overHttp2],
])('over %s', (_, ask) => {
  test('a client certificate says who asks', async () => {
    const pair = await running.clientCertificate({ commonName: 'joe', organizations: ['devs', 'more'] });
    const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' });
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const { status, text } = await ask({
      path,
      pair,
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(status).toBe(201);
    expect(JSON.parse(text)).toMatchObject({
      status: { userInfo: { username: 'joe', groups: ['devs', 'more', 'system:authenticated'] } },
    });
  });

  test('nobody sees more than health and version', async () => {
    const codes = await Promise.all(['/healthz', '/version', '/api', '/api/v1/pods'].map((path) => ask({ path })));
    expect(codes.map(({ status }) => status)).toEqual([200, 200, 403, 403]);
  });

  test('a certificate of a stranger is refused', async () => {
    const stranger = await CertificateAuthority.create(systemClock);
    const pair = await stranger.client({ commonName: 'joe', organizations: ['system:masters'] });
    expect((await ask({ path: '/api/v1/pods', pair })).status).toBe(401);
  });

  test('tokens of service accounts are good as long as their account is', async () => {
    const pair = await running.clientCertificate({ commonName: 'admin', organizations: ['system:masters'] });
    const headers = { 'content-type': 'application/json' };
    const accounts = '/api/v1/namespaces/default/serviceaccounts';
    await ask({ path: accounts, pair, headers, method: 'POST', body: JSON.stringify({ metadata: { name: 'robot' } }) });
    const issued = await ask({
      path: `${accounts}/robot/token`,
      pair,
      headers,
      method: 'POST',
      body: JSON.stringify({ spec: {} }),
    });
    const { token } = (JSON.parse(issued.text) as { status: { token: string } }).status;
    const authorization = `Bearer ${token}`;
    const denied = await ask({ path: '/api/v1/namespaces/default/pods', headers: { authorization } });
    expect(denied.text).toContain('User \\"system:serviceaccount:default:robot\\" cannot list resource');
    await ask({ path: `${accounts}/robot`, pair, method: 'DELETE' });
    expect((await ask({ path: '/api/v1/pods', headers: { authorization } })).status).toBe(401);
    expect((await ask({ path: '/api/v1/pods', headers: { authorization: 'Bearer nonsense' } })).status).toBe(401);
  });

  test('large answers are compressed for clients that take it', async () => {
    const pair = await running.clientCertificate({ commonName: 'admin', organizations: ['system:masters'] });
    server.store.create('configmaps', 'default/big', {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: 'big', namespace: 'default' },
      data: { k: 'x'.repeat(200_000) },
    });
    const path = '/api/v1/namespaces/default/configmaps/big';
    const plain = await ask({ path, pair });
    const compressed = await ask({ path, pair, headers: { 'accept-encoding': 'gzip' } });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(compressed.headers['content-encoding']).toBe('gzip');
    expect(Number(compressed.headers['content-length'])).toBeLessThan(10_000);
  });

  test('a watch begins before its first event, and ends with the server', async () => {
    const pair = await running.clientCertificate({ commonName: 'admin', organizations: ['system:masters'] });
    const watched = server.store.revision;
    const ended = ask({
      path: `/api/v1/namespaces/default/configmaps?watch=true&resourceVersion=${watched}`,
      pair,
    }).catch((error: Error) => error.message);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.close();
    expect(await ended).toBeDefined();
  });
});

test('the certificate holds for the names that clusters use', async () => {
  const certificate = new Promise<string>((resolve, reject) => {
    const session = http2.connect(running.url, { ca: running.ca, servername: 'kubernetes.default.svc' }, () => {
      resolve(
        (session.socket as unknown as { getPeerCertificate(): { subjectaltname: string } }).getPeerCertificate()
          .subjectaltname,
      );
      session.close();
    });
    session.on('error', reject);
  });
  expect(await certificate).toContain('DNS:kubernetes.default.svc');
  expect(await certificate).toContain('IP Address:127.0.0.1');
});
