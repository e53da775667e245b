import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type Server, type Socket, type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';

import { afterEach, describe, expect, test } from 'vitest';

import { type Fields, type Logger, silentLogger } from '#pkg/log';
import { Metrics } from '#pkg/metrics';
import {
  type ContractHandler,
  FakeClock,
  TcpProxy,
  type TestAuthority,
  type TestServer,
  type TestServerOptions,
  failureOf,
  startTestServer,
  testAuthority,
  textOf,
} from '#pkg/testing';

import { loadClientConfig } from './client-config.ts';
import { type HttpTransportOptions, createHttpTransport } from './http-transport.ts';

const GET = { method: 'GET', path: '/', headers: {}, lane: 'read' } as const;
const DAY = 24 * 3600 * 1000;
const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of cleanup.splice(0).toReversed()) await end();
});

async function serve(handler: ContractHandler, options: Partial<TestServerOptions> = {}): Promise<TestServer> {
  const server = await startTestServer(handler, { protocol: 'h2', ...options });
  cleanup.push(() => server.close());
  return server;
}

function transportTo(server: TestServer, options: Partial<HttpTransportOptions> = {}) {
  const transport = createHttpTransport({
    server: server.url,
    tls: { ca: { data: server.authority.certificate } },
    environment: {},
    ...options,
  });
  cleanup.push(() => transport.close());
  return transport;
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'transport-'));
  cleanup.push(() => rm(path, { recursive: true }));
  return path;
}

function recording(): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const note = (message: string, fields?: Fields): void =>
    void lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  return { lines, log: { ...silentLogger, info: note, warning: note, error: (message) => void lines.push(message) } };
}

const plain: ContractHandler = (request) => ({ status: 200, body: String(request.headers.authorization ?? 'nobody') });

describe('trust', () => {
  let authority: TestAuthority;
  const issue = async (options: Parameters<TestAuthority['issue']>[0]) => {
    authority = await testAuthority('the authority');
    return serve(plain, { authority, certificate: await authority.issue(options) });
  };
  const errorOf = (server: TestServer, options: Partial<HttpTransportOptions> = {}) =>
    failureOf(transportTo(server, options).roundTrip(GET));

  test('an expired server certificate is named with its date', async () => {
    const notAfter = new Date(Math.floor(Date.now() / 1000) * 1000 - DAY);
    const server = await issue({
      commonName: 'old-server',
      addresses: ['127.0.0.1'],
      notBefore: new Date(Date.now() - 2 * DAY),
      notAfter,
    });
    expect(await errorOf(server)).toMatchObject({
      code: 'tls',
      message: `cannot trust ${server.url}: the server certificate "old-server" expired on ${notAfter.toISOString().replace('.000', '')}`,
    });
  });

  test('an unknown authority is named', async () => {
    const server = await issue({ commonName: 's', addresses: ['127.0.0.1'] });
    const other = await testAuthority('another');
    expect(await errorOf(server, { tls: { ca: { data: other.certificate } } })).toMatchObject({
      code: 'tls',
      message: expect.stringContaining('the server certificate "s" is signed by an unknown authority, "the authority"'),
    });
    expect(await errorOf(server, { tls: {} })).toMatchObject({
      code: 'tls',
      message: expect.stringContaining('unknown authority'),
    });
  });

  test('a certificate for another name is refused, unless that name is expected', async () => {
    const server = await issue({ commonName: 's', names: ['kubernetes.default'] });
    expect(await errorOf(server)).toMatchObject({
      code: 'tls',
      message: expect.stringContaining('valid for DNS:kubernetes.default, not for this address'),
    });
    const ca = { data: authority.certificate };
    const named = transportTo(server, { tls: { ca, serverName: 'kubernetes.default' } });
    expect(await textOf(await named.roundTrip(GET))).toBe('nobody');
    expect(await errorOf(server, { tls: { ca, serverName: 'other.default' } })).toMatchObject({ code: 'tls' });
  });

  test('anything goes when told so', async () => {
    const server = await issue({ commonName: 's', names: ['elsewhere'] });
    expect(await textOf(await transportTo(server, { tls: { insecure: true } }).roundTrip(GET))).toBe('nobody');
  });

  test('a server that does not speak TLS is said to be one', async () => {
    const server = await serve(plain, { protocol: 'http' });
    const transport = createHttpTransport({ server: `https://127.0.0.1:${server.port}`, environment: {} });
    cleanup.push(() => transport.close());
    expect(await failureOf(transport.roundTrip(GET))).toMatchObject({
      code: 'tls',
      message: expect.stringContaining('does not speak TLS'),
    });
  });

  test('a server that demands a certificate says so', async () => {
    authority = await testAuthority();
    const server = await serve(plain, { authority, clientCertificates: true });
    expect(await errorOf(server)).toMatchObject({
      code: 'tls',
      message: expect.stringContaining('the server ended the TLS handshake: certificate required'),
    });
  });
});

describe('certificates that rotate on disk', () => {
  /** A client's certificate and key in files of a folder, and whom to trust. */
  async function onDisk(first: string) {
    const authority = await testAuthority();
    const path = await folder();
    const write = async (commonName: string): Promise<void> => {
      const pair = await authority.issue({ commonName });
      await writeFile(join(path, 'tls.crt'), pair.certificate);
      await writeFile(join(path, 'tls.key'), pair.key);
    };
    await write(first);
    const tls = {
      ca: { data: authority.certificate },
      certificate: { file: join(path, 'tls.crt') },
      key: { file: join(path, 'tls.key') },
    };
    return { authority, path, tls, write };
  }

  test('are used for new connections, while open streams go on over the old one', async () => {
    const { authority, path, tls } = await onDisk('first');
    const clock = new FakeClock(Date.now());
    const server = await serve(plain, { authority, clientCertificates: true });
    const { log, lines } = recording();
    const transport = transportTo(server, { clock, tls, log });
    await textOf(await transport.roundTrip(GET));
    await textOf(await transport.roundTrip(GET));
    expect(server.clients).toEqual(['first']);

    // Half a rotation: the certificate is new, the key is still old.
    const next = await authority.issue({ commonName: 'second' });
    await writeFile(join(path, 'tls.crt'), next.certificate);
    await clock.step(10_000);
    await textOf(await transport.roundTrip(GET));
    expect(server.clients).toEqual(['first']);
    expect(lines.join()).toContain('keeping what was read before');

    await writeFile(join(path, 'tls.key'), next.key);
    await clock.step(10_000);
    await textOf(await transport.roundTrip(GET));
    expect(server.clients).toEqual(['first', 'second']);
    await expect.poll(() => server.sockets.size).toBe(1);
  });

  test('are used instead of a connection that was being opened with the old ones', async () => {
    const { authority, tls, write } = await onDisk('first');
    const clock = new FakeClock(Date.now());
    const server = await serve((request) => ({ status: 200, body: request.path }), {
      authority,
      clientCertificates: true,
    });
    const proxy = await TcpProxy.start(server.port);
    cleanup.push(() => proxy.close());
    const transport = transportTo(server, { server: `https://127.0.0.1:${proxy.port}`, clock, tls });
    await textOf(await transport.roundTrip(GET));
    await clock.step(9_000);

    proxy.stall();
    const written = transport.roundTrip({ ...GET, path: '/written', lane: 'write' });
    await expect.poll(() => proxy.accepted).toBe(2);
    await write('second');
    await clock.step(1_000);
    const read = transport.roundTrip({ ...GET, path: '/read' });
    await expect.poll(() => proxy.accepted).toBe(3);
    proxy.heal();

    expect(await Promise.all([textOf(await written), textOf(await read)])).toEqual(['/written', '/read']);
    expect(server.clients.toSorted()).toEqual(['first', 'first', 'second', 'second']);
    await expect.poll(() => server.sockets.size).toBe(2);
  });

  test('and have expired are warned about by name', async () => {
    const authority = await testAuthority();
    const path = await folder();
    const pair = await authority.issue({
      commonName: 'late',
      notBefore: new Date(Date.now() - 2 * DAY),
      notAfter: new Date(Date.now() - DAY),
    });
    await writeFile(join(path, 'tls.crt'), pair.certificate);
    await writeFile(join(path, 'tls.key'), pair.key);
    const { log, lines } = recording();
    const server = await serve(plain);
    const tls = {
      ca: { data: server.authority.certificate },
      certificate: { file: join(path, 'tls.crt') },
      key: { file: join(path, 'tls.key') },
    };
    await textOf(await transportTo(server, { tls, log }).roundTrip(GET));
    expect(lines.join()).toContain(
      `The client certificate has expired: the API server will refuse it {"certificate":"${join(path, 'tls.crt')}"`,
    );
  });
});

describe('credentials from a kubeconfig', () => {
  async function fromKubeconfig(server: TestServer, user: object, options: Partial<HttpTransportOptions> = {}) {
    const file = join(await folder(), 'config');
    const config = {
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
      clusters: [
        {
          name: 'k',
          cluster: {
            server: server.url,
            'certificate-authority-data': Buffer.from(server.authority.certificate).toString('base64'),
          },
        },
      ],
      users: [{ name: 'u', user }],
    };
    await writeFile(file, JSON.stringify(config));
    const { clock, log, metrics } = options;
    const loaded = await loadClientConfig({
      kubeconfig: file,
      ...(clock ? { clock } : {}),
      ...(log ? { log } : {}),
      ...(metrics ? { metrics } : {}),
    });
    return transportTo(server, { ...loaded, ...options });
  }

  test.each([
    ['token', { token: 'abc' }, 'Bearer abc'],
    ['basic', { username: 'me', password: 'pä' }, `Basic ${Buffer.from('me:pä').toString('base64')}`],
    ['none', {}, 'nobody'],
  ])('%s', async (_, user, expected) => {
    const transport = await fromKubeconfig(await serve(plain), user);
    expect(await textOf(await transport.roundTrip(GET))).toBe(expected);
  });

  test('an authorization of the request itself goes first', async () => {
    const transport = await fromKubeconfig(await serve(plain), { token: 'abc' });
    expect(await textOf(await transport.roundTrip({ ...GET, headers: { authorization: 'Bearer own' } }))).toBe(
      'Bearer own',
    );
  });

  test.each(['h2', 'https'] as const)('impersonation over %s', async (protocol) => {
    const server = await serve(
      (request) => ({
        status: 200,
        body: JSON.stringify(
          Object.fromEntries(Object.entries(request.headers).filter(([name]) => name.startsWith('impersonate'))),
        ),
      }),
      { protocol },
    );
    const user = {
      token: 'abc',
      as: 'jane',
      'as-uid': '7',
      'as-groups': ['a', 'b'],
      'as-user-extra': { 'example.com/Scope': ['x'] },
    };
    const transport = await fromKubeconfig(server, user);
    expect(JSON.parse(await textOf(await transport.roundTrip(GET)))).toEqual({
      'impersonate-user': 'jane',
      'impersonate-uid': '7',
      'impersonate-group': 'a, b',
      'impersonate-extra-example.com%2fscope': 'x',
    });
  });

  test('a token file is read again after a minute, and at once when the server refuses it', async () => {
    const clock = new FakeClock();
    const file = join(await folder(), 'token');
    await writeFile(file, 'one\n');
    let valid = 'Bearer one';
    const server = await serve((request) => ({
      status: request.headers.authorization === valid ? 200 : 401,
      body: String(request.headers.authorization),
    }));
    const transport = await fromKubeconfig(server, { tokenFile: file }, { clock });
    const ask = async (): Promise<string> => {
      const response = await transport.roundTrip(GET);
      return `${response.status} ${await textOf(response)}`;
    };
    expect(await ask()).toBe('200 Bearer one');
    await writeFile(file, 'two');
    expect(await ask()).toBe('200 Bearer one');
    valid = 'Bearer two';
    expect(await ask()).toBe('200 Bearer two');
    await writeFile(file, 'three');
    valid = 'Bearer three';
    await clock.step(60_000);
    expect(await ask()).toBe('200 Bearer three');
    await rm(file);
    await clock.step(60_000);
    expect(await ask()).toBe('200 Bearer three');
    valid = 'Bearer four';
    expect(await ask()).toBe('401 Bearer three');
  });

  test('a legacy auth-provider with a token that is still good', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'none' })}.${part({ exp: Math.floor(Date.now() / 1000) + 3600 })}.x`;
    const provider = {
      name: 'oidc',
      config: { 'id-token': token, 'client-id': 'c', 'idp-issuer-url': 'https://127.0.0.1:1', 'refresh-token': 'r' },
    };
    const transport = await fromKubeconfig(await serve(plain), { 'auth-provider': provider });
    expect(await textOf(await transport.roundTrip(GET))).toBe(`Bearer ${token}`);
  });

  describe('from a plugin', () => {
    /** A plugin that counts its runs in a file and answers with what `status` makes of the count. */
    async function plugin(status: string, { exit = 0, version = 'client.authentication.k8s.io/v1' } = {}) {
      const path = await folder();
      const script = join(path, 'plugin.mjs');
      await writeFile(
        script,
        `import { appendFileSync, readFileSync } from 'node:fs';
        appendFileSync(${JSON.stringify(join(path, 'runs'))}, 'x');
        const run = readFileSync(${JSON.stringify(join(path, 'runs'))}).length;
        const info = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
        console.log(JSON.stringify({ kind: 'ExecCredential', apiVersion: ${JSON.stringify(version)}, status: ${status} }));
        console.error('complaint');
        process.exitCode = ${exit};`,
      );
      return {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: process.execPath,
        args: [script],
        env: [{ name: 'NAME', value: 'env' }],
        interactiveMode: 'Never',
        provideClusterInfo: true,
      };
    }

    test('runs once for many, again when the token expires, and again when the server refuses it', async () => {
      const clock = new FakeClock('2026-01-01T00:00:00Z');
      const metrics = new Metrics();
      let refused = '';
      const server = await serve((request) => ({
        status: request.headers.authorization === refused ? 401 : 200,
        body: String(request.headers.authorization),
      }));
      const status = `{ token: process.env.NAME + run + info.spec.cluster.server.slice(0, 5), expirationTimestamp: run === 1 ? '2026-01-01T01:00:00Z' : undefined }`;
      const transport = await fromKubeconfig(server, { exec: await plugin(status) }, { clock, metrics });
      const ask = async (): Promise<string> => textOf(await transport.roundTrip(GET));
      expect(new Set(await Promise.all([ask(), ask(), ask()]))).toEqual(new Set(['Bearer env1https']));
      await clock.step(3_600_001);
      expect(await ask()).toBe('Bearer env2https');
      expect(await ask()).toBe('Bearer env2https');
      refused = 'Bearer env2https';
      expect(await ask()).toBe('Bearer env3https');
      expect(await metrics.expose()).toContain('rest_client_exec_plugin_call_total{code="0",call_status="no_error"} 3');
    });

    test('that gives certificates has new connections made with each', async () => {
      const clock = new FakeClock(Date.now());
      const authority = await testAuthority();
      const pairs = [await authority.issue({ commonName: 'one' }), await authority.issue({ commonName: 'two' })];
      const server = await serve(plain, { authority, clientCertificates: true });
      const status = `((pair) => ({ clientCertificateData: pair.certificate, clientKeyData: pair.key, expirationTimestamp: new Date(Date.now() + 60000 * run).toISOString() }))(${JSON.stringify(pairs)}[run - 1])`;
      const transport = await fromKubeconfig(server, { exec: await plugin(status) }, { clock });
      await textOf(await transport.roundTrip(GET));
      await textOf(await transport.roundTrip(GET));
      expect(server.clients).toEqual(['one']);
      await clock.step(61_000);
      await textOf(await transport.roundTrip(GET));
      expect(server.clients).toEqual(['one', 'two']);
    });

    test.each<[string, Parameters<typeof plugin>, string]>([
      ['fails', ['{}', { exit: 3 }], 'exit code 3: complaint'],
      ['says nothing', ['undefined'], 'it gave no status'],
      ['gives half a certificate', ['{ clientCertificateData: "x" }'], 'it gave only one of certificate and key'],
      ['gives nothing', ['{}'], 'it gave neither a token nor a certificate'],
      [
        'speaks another version',
        ['{ token: "x" }', { version: 'client.authentication.k8s.io/v1beta1' }],
        'it is configured for client.authentication.k8s.io/v1 but answered in client.authentication.k8s.io/v1beta1',
      ],
    ])('that %s', async (_, args, message) => {
      const transport = await fromKubeconfig(await serve(plain), { exec: await plugin(...args) });
      expect(await failureOf(transport.roundTrip(GET))).toMatchObject({
        code: 'credentials',
        message: `the credential plugin ${process.execPath}: ${message}`,
      });
    });

    test.each([
      ['prints a bare token', "console.log('bare-secret')"],
      ['quotes one in its version', "console.log(JSON.stringify({ apiVersion: 'bare-secret' }))"],
    ])('that %s is refused without a word of it', async (_title, script) => {
      const exec = {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: process.execPath,
        args: ['-e', script],
        interactiveMode: 'Never',
      };
      const transport = await fromKubeconfig(await serve(plain), { exec });
      const failure = await failureOf(transport.roundTrip(GET));
      expect(failure).toMatchObject({ code: 'credentials' });
      expect(inspect(failure, { depth: 9 })).not.toMatch(/bare-secret/);
    });

    test('that prints without end is stopped', async () => {
      const exec = {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: '/bin/sh',
        args: ['-c', 'yes | cat'],
        interactiveMode: 'Never',
      };
      const transport = await fromKubeconfig(await serve(plain), { exec });
      expect(await failureOf(transport.roundTrip(GET))).toMatchObject({
        message: expect.stringContaining('printed more than 1 MiB'),
      });
    });

    test('that is not there', async () => {
      const exec = {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: 'no-such-plugin',
        installHint: 'get it from example.com',
        interactiveMode: 'IfAvailable',
      };
      const transport = await fromKubeconfig(await serve(plain), { exec });
      expect(await failureOf(transport.roundTrip(GET))).toMatchObject({
        code: 'credentials',
        message: 'the credential plugin no-such-plugin: executable not found (get it from example.com)',
      });
    });
  });
});

describe('proxies', () => {
  /** A proxy that speaks CONNECT, or SOCKS 5 with a login, and notes where it was sent. */
  async function startProxy(kind: 'connect' | 'socks', reject = false) {
    const seen: string[] = [];
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket.on('error', () => {}));
      const tunnel = (host: string, port: number, answer: Buffer | string): void => {
        const upstream = connect(port, host, () => {
          socket.write(answer);
          socket.pipe(upstream).pipe(socket);
        });
        sockets.add(upstream.on('error', () => {}));
      };
      const steps = socksSteps(seen, tunnel, socket);
      socket.on('data', function onData(chunk: Buffer) {
        if (kind === 'socks') {
          if (steps.shift()?.(chunk) !== true) socket.off('data', onData);
          return;
        }
        socket.off('data', onData);
        const head = chunk.toString();
        seen.push(head);
        const [, host, port] = /^CONNECT ([^:]+):(\d+)/.exec(head)!;
        if (reject) socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
        else tunnel(host!, Number(port), 'HTTP/1.1 200 Connection established\r\n\r\n');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanup.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return { port: (server.address() as AddressInfo).port, seen };
  }

  function socksSteps(
    seen: string[],
    tunnel: (host: string, port: number, answer: Buffer) => void,
    socket: Socket,
  ): ((chunk: Buffer) => boolean)[] {
    return [
      () => socket.write(Buffer.from([5, 2])),
      (chunk) => {
        const user = 2 + chunk[1]!;
        seen.push(`${chunk.toString('utf8', 2, user)} ${chunk.toString('utf8', user + 1)}`);
        return socket.write(Buffer.from([1, 0]));
      },
      (chunk) => {
        const length = chunk[4]!;
        tunnel(
          chunk.subarray(5, 5 + length).toString(),
          chunk.readUInt16BE(5 + length),
          Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
        );
        return false;
      },
    ];
  }

  test.each(['h2', 'https', 'http'] as const)('an HTTP proxy carries %s', async (protocol) => {
    const server = await serve(plain, { protocol });
    const proxy = await startProxy('connect');
    const transport = transportTo(server, { proxyUrl: `http://user:p%40ss@127.0.0.1:${proxy.port}` });
    expect(await textOf(await transport.roundTrip(GET))).toBe('nobody');
    expect(proxy.seen[0]).toContain(`CONNECT 127.0.0.1:${server.port} HTTP/1.1`);
    expect(proxy.seen[0]).toContain(`Proxy-Authorization: Basic ${Buffer.from('user:p@ss').toString('base64')}`);
  });

  test('a SOCKS proxy too, with a login', async () => {
    const server = await serve(plain);
    const proxy = await startProxy('socks');
    const transport = transportTo(server, { proxyUrl: `socks5://user:pass@127.0.0.1:${proxy.port}` });
    expect(await textOf(await transport.roundTrip(GET))).toBe('nobody');
    expect(proxy.seen).toEqual(['user pass']);
  });

  test('a proxy that refuses is quoted', async () => {
    const proxy = await startProxy('connect', true);
    const transport = transportTo(await serve(plain), { proxyUrl: `http://127.0.0.1:${proxy.port}` });
    expect(await failureOf(transport.roundTrip(GET))).toMatchObject({
      code: 'proxy',
      message: expect.stringContaining('407 Proxy Authentication Required'),
    });
  });

  test('a proxy that is not there is named', async () => {
    const transport = transportTo(await serve(plain), { proxyUrl: 'http://127.0.0.1:1' });
    expect(await failureOf(transport.roundTrip(GET))).toMatchObject({
      code: 'refused',
      message: expect.stringContaining('through 127.0.0.1:1: connection refused'),
    });
  });
});

describe('compressed answers', () => {
  const text = 'x'.repeat(100_000);
  test.each([true, false])('asked for: %s', async (compression) => {
    const server = await serve((request) => {
      const wanted = request.headers['accept-encoding'] === 'gzip';
      return wanted
        ? { status: 200, headers: { 'content-encoding': 'gzip' }, body: gzipSync(text) }
        : { status: 200, body: 'plain' };
    });
    const response = await transportTo(server, { compression }).roundTrip(GET);
    expect(await textOf(response)).toBe(compression ? text : 'plain');
    expect(response.headers['content-encoding']).toBeUndefined();
  });

  test('that nobody asked for are refused', async () => {
    const server = await serve(() => ({ status: 200, headers: { 'content-encoding': 'gzip' }, body: gzipSync(text) }));
    expect(await failureOf(transportTo(server).roundTrip(GET))).toMatchObject({ code: 'garbled' });
  });

  test('that inflate beyond all measure are cut off', async () => {
    const body = gzipSync(Buffer.alloc(100 * 1024 * 1024));
    const server = await serve(() => ({ status: 200, headers: { 'content-encoding': 'gzip' }, body }));
    const response = await transportTo(server, { compression: true }).roundTrip(GET);
    let bytes = 0;
    const reading = (async () => {
      for await (const chunk of response.body) bytes += chunk.length;
    })();
    expect(await failureOf(reading)).toMatchObject({ code: 'garbled' });
    expect(bytes).toBeLessThan(40 * 1024 * 1024);
  });

  test('that end too soon are garbled', async () => {
    const server = await serve(() => ({
      status: 200,
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync(text).subarray(0, 60),
    }));
    const response = await transportTo(server, { compression: true }).roundTrip(GET);
    expect(await failureOf(textOf(response))).toMatchObject({ code: 'garbled' });
  });
});
