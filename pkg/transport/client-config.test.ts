import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { failureOf } from '#pkg/testing';

import { type LoadOptions, loadClientConfig, withoutUser } from './client-config.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-'));
  for (const name of ['ca.crt', 'tls.crt', 'tls.key']) await writeFile(join(folder, name), PEM);
  await writeFile(join(folder, 'noise'), 'noise');
  await writeFile(join(folder, 'token'), 'secret\n');
  await writeFile(join(folder, 'namespace'), 'kube-system');
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
async function write(text: string): Promise<string> {
  const file = join(folder, `config-${files++}`);
  await writeFile(file, text);
  return file;
}

const kubeconfig = (cluster: object, user: object = {}, more: object = {}): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    contexts: [
      { name: 'main', context: { cluster: 'c', user: 'u', namespace: 'here' } },
      { name: 'other', context: { cluster: 'd', user: 'u' } },
    ],
    clusters: [
      { name: 'c', cluster },
      { name: 'd', cluster: { server: 'https://other' } },
    ],
    users: [{ name: 'u', user }],
    ...more,
  });

async function load(text: string, options: LoadOptions = {}) {
  const file = await write(text);
  const config = await loadClientConfig({ kubeconfig: file, environment: {}, ...options });
  const { credentials, ...rest } = config;
  return { file, headers: await credentials.headers(), ...rest };
}

describe('a kubeconfig', () => {
  const server = 'https://10.0.0.1:6443';
  test('of data', async () => {
    const loaded = await load(
      kubeconfig(
        { server, 'certificate-authority-data': base64(PEM) },
        { 'client-certificate-data': base64(PEM), 'client-key-data': base64(PEM) },
      ),
    );
    expect(loaded).toMatchObject({
      server,
      namespace: 'here',
      headers: {},
      tls: { ca: { data: PEM }, certificate: { data: PEM }, key: { data: PEM } },
    });
  });

  test('of files, counted from its folder, with everything', async () => {
    const cluster = {
      server: `${server}/`,
      'certificate-authority': 'ca.crt',
      'tls-server-name': 'name',
      'proxy-url': 'http://p:1',
    };
    const loaded = await load(
      kubeconfig(cluster, { 'client-certificate': join(folder, 'tls.crt'), 'client-key': 'tls.key', token: 't' }),
    );
    expect(loaded).toMatchObject({
      server,
      proxyUrl: 'http://p:1',
      headers: { authorization: 'Bearer t' },
      tls: {
        ca: { file: join(folder, 'ca.crt') },
        certificate: { file: join(folder, 'tls.crt') },
        key: { file: join(folder, 'tls.key') },
        serverName: 'name',
      },
    });
  });

  test('in YAML, as people write it', async () => {
    const text = `current-context: a\ncontexts:\n- name: a\n  context: {cluster: a, user: a}\nclusters:\n- name: a\n  cluster:\n    server: ${server}\n    insecure-skip-tls-verify: true\nusers:\n- name: a\n  user:\n    token: >-\n      abc\n`;
    expect(await load(text)).toMatchObject({
      server,
      namespace: 'default',
      tls: { insecure: true },
      headers: { authorization: 'Bearer abc' },
    });
  });

  test('with another context, or another address', async () => {
    const text = kubeconfig({ server, 'tls-server-name': 'name', 'certificate-authority': 'ca.crt' });
    expect(await load(text, { context: 'other' })).toMatchObject({ server: 'https://other', namespace: 'default' });
    const moved = await load(text, { master: '10.0.0.9:6443' });
    expect(moved.server).toBe('https://10.0.0.9:6443');
    expect(moved.tls).toEqual({ ca: { file: join(folder, 'ca.crt') } });
  });

  test('a token file goes before the token beside it', async () => {
    expect(await load(kubeconfig({ server }, { token: 'old', tokenFile: 'token' }))).toMatchObject({
      headers: { authorization: 'Bearer secret' },
    });
  });

  test('without its user', async () => {
    const file = await write(
      kubeconfig(
        { server, 'certificate-authority': 'ca.crt' },
        { 'client-certificate': 'tls.crt', 'client-key': 'tls.key', token: 't' },
      ),
    );
    const config = withoutUser(await loadClientConfig({ kubeconfig: file }));
    expect(config.tls).toEqual({ ca: { file: join(folder, 'ca.crt') } });
    expect(await config.credentials.headers()).toEqual({});
  });

  test.each<[string, string, LoadOptions, string]>([
    ['nothing in it', '', {}, ': is empty'],
    ['not YAML', 'a: [', {}, ': not YAML: '],
    ['a list', '[]', {}, ': must be an object'],
    ['no current context', '{}', {}, ': current-context: is not set, and no context is chosen'],
    ['an unknown context', kubeconfig({ server }), { context: 'x' }, ': contexts: there is no context "x"'],
    [
      'an unknown cluster',
      kubeconfig({ server }, {}, { clusters: [] }),
      {},
      ': contexts[0].context.cluster: there is no cluster "c"',
    ],
    [
      'an unknown user',
      kubeconfig({ server }, {}, { users: [] }),
      {},
      ': contexts[0].context.user: there is no user "u"',
    ],
    ['clusters that are none', kubeconfig({ server }, {}, { clusters: 'x' }), {}, ': clusters: must be a list'],
    ['a cluster that is none', kubeconfig({ server }, {}, { clusters: ['x'] }), {}, ': clusters[0]: must be an object'],
    ['no server', kubeconfig({}), {}, ': context "main" names no cluster with a server'],
    ['a strange server', kubeconfig({ server: 'ftp://x' }), {}, ': server: "ftp://x" is not an http or https address'],
    [
      'a missing CA',
      kubeconfig({ server, 'certificate-authority': 'gone.crt' }),
      {},
      ': clusters[0].cluster.certificate-authority: no such file: FOLDER/gone.crt',
    ],
    [
      'a missing certificate',
      kubeconfig({ server }, { 'client-certificate': '/x/gone.crt', 'client-key': 'tls.key' }),
      {},
      ': users[0].user.client-certificate: no such file: /x/gone.crt',
    ],
    [
      'a certificate without key',
      kubeconfig({ server }, { 'client-certificate': 'tls.crt' }),
      {},
      ': users[0].user.client-key: is missing, but there is a client certificate',
    ],
    [
      'a key without certificate',
      kubeconfig({ server }, { 'client-key': 'tls.key' }),
      {},
      ': users[0].user.client-certificate: is missing, but there is a client key',
    ],
    [
      'a CA that is no PEM',
      kubeconfig({ server, 'certificate-authority': 'noise' }),
      {},
      ': clusters[0].cluster.certificate-authority: is not PEM: FOLDER/noise',
    ],
    [
      'data that is no base64',
      kubeconfig({ server, 'certificate-authority-data': '%%%' }),
      {},
      ': clusters[0].cluster.certificate-authority-data: is not base64',
    ],
    [
      'data that is no PEM',
      kubeconfig({ server }, { 'client-key-data': base64('x') }),
      {},
      ': users[0].user.client-key-data: is not PEM',
    ],
    [
      'CA and insecure',
      kubeconfig({ server, 'certificate-authority': 'ca.crt', 'insecure-skip-tls-verify': true }),
      {},
      ': clusters[0].cluster.insecure-skip-tls-verify: cannot be combined with certificate-authority or certificate-authority-data',
    ],
    [
      'a flag in quotes',
      kubeconfig({ server, 'insecure-skip-tls-verify': 'true' }),
      {},
      ': clusters[0].cluster.insecure-skip-tls-verify: must be true or false',
    ],
    ['a token that is a number', kubeconfig({ server }, { token: 5 }), {}, ': users[0].user.token: must be a string'],
    [
      'a missing token file',
      kubeconfig({ server }, { tokenFile: 'gone' }),
      {},
      ': users[0].user.tokenFile: no such file: FOLDER/gone',
    ],
    [
      'token and password',
      kubeconfig({ server }, { token: 'x', username: 'y' }),
      {},
      ': users[0].user.username: cannot be combined with a token: only one of them can be sent',
    ],
    [
      'groups without a user to be',
      kubeconfig({ server }, { 'as-groups': ['a'] }),
      {},
      ': users[0].user.as-groups: needs "as" too',
    ],
    [
      'a plugin of no version',
      kubeconfig({ server }, { exec: { command: 'x' } }),
      {},
      ': users[0].user.exec.apiVersion: must be one of client.authentication.k8s.io/v1, client.authentication.k8s.io/v1beta1',
    ],
    [
      'a plugin without command',
      kubeconfig({ server }, { exec: { apiVersion: 'client.authentication.k8s.io/v1' } }),
      {},
      ': users[0].user.exec.command: is required',
    ],
  ])('with %s is refused by file and field', async (_, text, options, message) => {
    const file = await write(text);
    const error = await failureOf(loadClientConfig({ kubeconfig: file, ...options }));
    expect(error).toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining(`kubeconfig ${file}${message.replace('FOLDER', folder)}`),
    });
    expect((error as Error).message).not.toContain('\n');
  });

  test('that is not there, or a folder, is refused by name', async () => {
    expect(await failureOf(loadClientConfig({ kubeconfig: '/no/such' }))).toMatchObject({
      code: 'unreadable',
      message: 'kubeconfig /no/such: no such file',
    });
    expect(await failureOf(loadClientConfig({ kubeconfig: folder }))).toMatchObject({
      code: 'unreadable',
      message: `kubeconfig ${folder}: is a folder`,
    });
  });

  test.skipIf(process.getuid?.() === 0)('that may not be read says so', async () => {
    const file = await write('{}');
    await chmod(file, 0);
    expect(await failureOf(loadClientConfig({ kubeconfig: file }))).toMatchObject({
      code: 'unreadable',
      message: `kubeconfig ${file}: permission denied`,
    });
  });
});

describe('without a kubeconfig', () => {
  test.each([
    ['https://a:1', 'https://a:1'],
    ['http://a:1/prefix/', 'http://a:1/prefix'],
    ['10.0.0.1:8080', 'http://10.0.0.1:8080'],
  ])('--master=%s', async (master, server) => {
    expect(await loadClientConfig({ master, environment: {} })).toMatchObject({ server, tls: {} });
  });

  test('--master that is no address', async () => {
    expect(await failureOf(loadClientConfig({ master: 'ftp://x' }))).toMatchObject({
      message: '--master: "ftp://x" is not an http or https address',
    });
  });

  test('in a Pod', async () => {
    const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    const config = await loadClientConfig({ environment, serviceAccountFolder: folder });
    expect(config).toMatchObject({
      server: 'https://[fd00::1]:443',
      namespace: 'kube-system',
      tls: { ca: { file: join(folder, 'ca.crt') } },
    });
    expect(await config.credentials.headers()).toEqual({ authorization: 'Bearer secret' });
  });

  test('in a Pod without a service account', async () => {
    const environment = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
    const error = await failureOf(loadClientConfig({ environment, serviceAccountFolder: '/no/such' }));
    expect(error).toMatchObject({
      code: 'unreadable',
      message: 'in-cluster configuration: /no/such/token: no such file',
    });
  });

  test('nowhere', async () => {
    expect(await failureOf(loadClientConfig({ environment: {} }))).toMatchObject({
      code: 'missing',
      message: expect.stringContaining('--kubeconfig or --master'),
    });
  });
});
