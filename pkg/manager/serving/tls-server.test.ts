import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from 'node:tls';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { defineController } from '#pkg/controller';
import { silentLogger } from '#pkg/log';
import { FakeClock, type KeyPair, testAuthority } from '#pkg/testing';

import { readCommandLine } from '../options/options.ts';
import type { ManagerFlagValues } from '../options/sections.ts';
import { createRegistry } from '../registry/registry.ts';
import { type HttpHandler, text } from './http.ts';
import { subjectValues } from './client-certificates.ts';
import { type SecureServer, startSecureServer } from './tls-server.ts';

let folder: string;
let clock: FakeClock;
let servers: SecureServer[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serving-'));
  clock = new FakeClock(Date.now());
  servers = [];
});

afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await rm(folder, { recursive: true });
  if (clock.pending > 0) throw new Error(`${clock.pending} timers are left`);
});

const registry = createRegistry([
  defineController({ name: 'x', rbac: [], create: () => ({ name: 'x', run: () => Promise.resolve() }) }),
]);

function flags(...argv: string[]): ManagerFlagValues {
  const request = readCommandLine(['--bind-address=127.0.0.1', '--secure-port=0', ...argv], registry, {}, 80);
  if (request.kind !== 'run') throw new Error(request.kind);
  return request.line.flags;
}

const hello: HttpHandler = (request) => {
  const leaf = request.certificate?.chain[0];
  return text(200, `${request.method} ${request.path} as ${leaf ? subjectValues(leaf, 'CN').join() : 'nobody'}`);
};

async function serve(...argv: string[]): Promise<number> {
  const server = await startSecureServer({ flags: flags(...argv), handler: hello, clock, log: silentLogger });
  servers.push(server);
  return server.port;
}

async function get2(
  port: number,
  path: string,
  options: ConnectionOptions = {},
): Promise<{ status: number; body: string }> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, ...options });
  try {
    const stream = session.request({ ':path': path });
    const chunks: Buffer[] = [];
    let status = 0;
    stream.on('response', (headers) => (status = Number(headers[':status'])));
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    return { status, body: Buffer.concat(chunks).toString() };
  } finally {
    session.destroy();
  }
}

function get1(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      { host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false },
      (response) => {
        response.setEncoding('utf8');
        let body = '';
        response.on('data', (part: string) => (body += part));
        response.on('end', () => resolve(`HTTP/${response.httpVersion} ${response.statusCode} ${body}`));
      },
    );
    request.on('error', reject);
    request.end();
  });
}

/** Common name of the certificate that is served for a name. */
async function served(port: number, servername?: string, more: ConnectionOptions = {}): Promise<string> {
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const connected = connectTls(
      { host: '127.0.0.1', port, rejectUnauthorized: false, ...(servername ? { servername } : {}), ...more },
      () => resolve(connected),
    );
    connected.once('error', reject);
  });
  const { subject } = socket.getPeerCertificate();
  const protocol = socket.getProtocol();
  socket.destroy();
  return `${String(subject.CN)} ${protocol}`;
}

describe('serving', () => {
  test('over HTTP/2 and HTTP/1.1, with a certificate made in memory', async () => {
    const port = await serve();
    expect(await get2(port, '/a%20b?c=d')).toEqual({ status: 200, body: 'GET /a b as nobody' });
    expect(await get1(port, '/x')).toBe('HTTP/1.1 200 GET /x as nobody');
    expect(await served(port)).toMatch(/^localhost@\d+ TLSv1\.3$/);
  });

  test('HTTP/1.1 alone when HTTP/2 is off', async () => {
    const port = await serve('--disable-http2-serving');
    expect(await get1(port, '/x')).toBe('HTTP/1.1 200 GET /x as nobody');
    expect(await served(port, undefined, { ALPNProtocols: ['h2', 'http/1.1'] })).toMatch(/^localhost/);
  });

  test('hands on the certificate a client shows, whoever signed it', async () => {
    const port = await serve();
    const { certificate, key } = await (await testAuthority()).issue({ commonName: 'jane' });
    expect((await get2(port, '/', { cert: certificate, key })).body).toBe('GET / as jane');
  });

  test('refuses TLS below the minimum', async () => {
    const port = await serve('--tls-min-version=VersionTLS13');
    await expect(served(port, undefined, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/protocol version/);
    expect(await served(port)).toContain('TLSv1.3');
    const other = await serve('--tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384');
    await expect(
      served(other, undefined, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }),
    ).rejects.toThrow(/handshake failure/);
    expect(await served(other, undefined, { maxVersion: 'TLSv1.2' })).toContain('TLSv1.2');
  });

  test('takes TLS as old as it is told to', async () => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    expect(await served(await serve('--tls-min-version=VersionTLS11'), undefined, old)).toContain('TLSv1.1');
    await expect(served(await serve(), undefined, old)).rejects.toThrow(/protocol version/);
  });
});

describe('certificates', () => {
  test('made in --cert-dir are kept there, the key for nobody else, and used again', async () => {
    const kept = join(folder, 'made/here');
    const first = await served(await serve(`--cert-dir=${kept}`));
    const key = await stat(join(kept, 'kube-controller-manager.key'));
    expect(key.mode & 0o777).toBe(0o600);
    expect(
      (await readFile(join(kept, 'kube-controller-manager.crt'), 'utf8')).match(/BEGIN CERTIFICATE/g),
    ).toHaveLength(2);
    await clock.step(3_600_000);
    expect(await served(await serve(`--cert-dir=${kept}`))).toBe(first);
  });

  test.each<[string, string]>([
    ['--cert-dir=/proc/nowhere', '--cert-dir: cannot keep the serving certificate in "/proc/nowhere": ENOENT'],
    ['--cert-dir=/dev/null/x', '--cert-dir: cannot keep the serving certificate in "/dev/null/x": ENOTDIR'],
  ])('%s is refused by name', async (flag, message) => {
    await expect(serve(flag)).rejects.toThrow(message);
  });

  test('given as files are read again when they change', async () => {
    const authority = await testAuthority();
    const [cert, key] = [join(folder, 'a.crt'), join(folder, 'a.key')];
    const put = async (commonName: string): Promise<void> => {
      const pair = await authority.issue({ commonName, names: ['localhost'] });
      await writeFile(cert, pair.certificate);
      await writeFile(key, pair.key);
    };
    await put('old');
    const port = await serve(`--tls-cert-file=${cert}`, `--tls-private-key-file=${key}`);
    expect(await served(port)).toContain('old ');
    await put('new');
    await expect.poll(async () => (await clock.step(5000), served(port))).toContain('new ');
    // Half of a pair is left alone.
    await writeFile(key, 'nonsense');
    await clock.step(5000);
    expect(await served(port)).toContain('new ');
  });

  test('by name: exact before wildcard, else the default', async () => {
    const authority = await testAuthority();
    const put = async (commonName: string, ...names: string[]): Promise<string> => {
      const pair = await authority.issue({ commonName, names });
      await writeFile(join(folder, `${commonName}.crt`), pair.certificate);
      await writeFile(join(folder, `${commonName}.key`), pair.key);
      return join(folder, `${commonName}.crt,`) + join(folder, `${commonName}.key`);
    };
    const wild = await put('wild', 'ignored.org');
    const exact = await put('exact', 'a.example.org');
    const port = await serve(`--tls-sni-cert-key=${wild}:*.example.org`, `--tls-sni-cert-key=${exact}`);
    const names = ['a.example.org', 'b.example.org', 'A.EXAMPLE.ORG', 'ignored.org', 'x.y.example.org'];
    const found = await Promise.all(names.map((name) => served(port, name)));
    expect(found.map((name) => name.split(/[ @]/)[0])).toEqual(['exact', 'wild', 'exact', 'localhost', 'localhost']);
  });

  test.each<[string[], string]>([
    [['--tls-cert-file=/nowhere', '--tls-private-key-file=/nowhere'], '--tls-cert-file: cannot read "/nowhere"'],
    [['--tls-sni-cert-key=/nowhere,/nowhere'], '--tls-sni-cert-key: cannot read "/nowhere"'],
  ])('%j cannot be read: said by flag and path', async (argv, message) => {
    await expect(serve(...argv)).rejects.toThrow(message);
  });
});

describe('authorities', () => {
  test('judge in the handshake who shows a certificate, and those that are new judge who comes after', async () => {
    const [first, second] = await Promise.all([testAuthority('first'), testAuthority('second')]);
    let current = [first.certificate];
    let changed = (): void => {};
    const server = await startSecureServer({
      flags: flags(),
      handler: ({ certificate }) => text(200, certificate?.problem ?? 'valid'),
      authorities: { current: () => current, onChange: (listener) => void (changed = listener) },
      clock,
      log: silentLogger,
    });
    servers.push(server);
    const ask = async ({ certificate, key }: KeyPair): Promise<string> =>
      (await get2(server.port, '/', { cert: certificate, key })).body;
    const [jane, joe] = await Promise.all([first.issue({ commonName: 'jane' }), second.issue({ commonName: 'joe' })]);
    expect(await ask(jane)).toBe('valid');
    expect(await ask(joe)).not.toBe('valid');
    const open = connectHttp2(`https://127.0.0.1:${server.port}`, {
      rejectUnauthorized: false,
      cert: jane.certificate,
      key: jane.key,
    });
    await once(open, 'remoteSettings');
    const ended = once(open, 'close');
    current = [second.certificate];
    changed();
    await ended;
    expect(await ask(jane)).not.toBe('valid');
    expect(await ask(joe)).toBe('valid');
  });
});

test('a port that is taken is said by flag', async () => {
  const port = await serve();
  await expect(
    startSecureServer({ flags: { ...flags(), 'secure-port': port }, handler: hello, clock, log: silentLogger }),
  ).rejects.toThrow(`failed to create listener on --bind-address 127.0.0.1, --secure-port ${port}: `);
});
