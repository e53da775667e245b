import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { resources } from '#pkg/api';
import { type ApiServer, createApiServer } from '#pkg/apiserver';
import { seededRandom } from '#pkg/base';
import { type Client, createClient } from '#pkg/client';
import { type ControllerDefinition, defineController } from '#pkg/controller';
import { type RootLogger, createLogger } from '#pkg/log';
import { FakeClock, settle } from '#pkg/testing';

import { completeOptions, readCommandLine } from '../options/options.ts';
import { createRegistry } from '../registry/registry.ts';
import { type RunOptions, runManager } from './run.ts';

let clock: FakeClock;
let server: ApiServer;
let client: Client;
let lines: string[];
let log: RootLogger;
/** `start a`, `stop a`: of the controller, by the identity it runs for. */
let story: string[];
let running: Manager[];

// Loaded when a manager needs them; time on a fake clock does not wait for files.
beforeAll(() => Promise.all([import('./lead-beside.ts'), import('./serve.ts'), import('./process-metrics.ts')]));

beforeEach(() => {
  clock = new FakeClock();
  server = createApiServer({ clock, random: seededRandom(1) });
  client = createClient({ transport: server.inProcessTransport(), userAgent: 'test', qps: -1, clock });
  lines = [];
  log = createLogger({ format: 'json', clock, output: { write: (line: string) => void lines.push(line) } });
  story = [];
  running = [];
});

afterEach(async () => {
  for (const manager of running) manager.stop.abort(new Error('the test is over'));
  await clock.step(15_000);
  await Promise.all(running.map(({ result }) => result));
  await server.close();
});

/** Tells its story, and writes a config map whenever it is poked. */
function narrator(identity: string, slowness = 0): { definition: ControllerDefinition; poke: () => Promise<unknown> } {
  let poke: () => Promise<unknown> = () => Promise.reject(new Error('not running'));
  const definition = defineController({
    name: 'replicaset-controller',
    aliases: ['replicaset'],
    rbac: [],
    create: (context) => ({
      name: context.name,
      run(signal) {
        story.push(`start ${identity}`);
        let count = 0;
        poke = () =>
          context.client
            .resource(resources.configMaps)
            .create({ metadata: { namespace: 'default', name: `${identity}-${count++}` } });
        return new Promise((resolve) => {
          const end = (): void => {
            story.push(`stop ${identity}`);
            resolve();
          };
          signal.addEventListener('abort', () => (slowness > 0 ? clock.setTimeout(end, slowness) : end()), {
            once: true,
          });
        });
      },
    }),
  });
  return { definition, poke: () => poke() };
}

interface Manager {
  readonly stop: AbortController;
  /** `ended`, or the message of what it ended with. */
  readonly result: Promise<string>;
  readonly poke: () => Promise<unknown>;
}

async function start(
  identity: string,
  { argv = [], slowness = 0, ...more }: { argv?: string[]; slowness?: number } & Partial<RunOptions> = {},
): Promise<Manager> {
  const { definition, poke } = narrator(identity, slowness);
  const request = readCommandLine(
    ['--secure-port=0', '--controllers=replicaset', ...argv],
    createRegistry([definition]),
    {},
    80,
  );
  if (request.kind !== 'run') throw new Error(request.kind);
  const options = await completeOptions(request.line);
  const own = server.inProcessTransport();
  const connection = { own, anonymous: () => own, close: () => own.close() };
  const stop = new AbortController();
  const run = runManager(
    { options, log, clock, random: seededRandom(7), startTime: clock.now(), connection, identity, ...more },
    stop.signal,
  );
  const manager = {
    stop,
    poke,
    result: run.then(
      () => 'ended',
      (error: unknown) => (error as Error).message,
    ),
  };
  running.push(manager);
  await settle();
  return manager;
}

const WELL_KNOWN = { namespace: 'kube-system', name: 'kube-controller-manager' };
const holder = async (): Promise<string | undefined> =>
  (await client.resource(resources.leases).get({ namespace: 'kube-system', name: 'kube-controller-manager' })).spec
    ?.holderIdentity ?? undefined;
const messages = (): string[] => lines.map((line) => (JSON.parse(line) as { msg: string }).msg);

describe('the manager', () => {
  test('leads, and gives the lead back when asked to end', async () => {
    const a = await start('a');
    await clock.step(100);
    expect(await holder()).toBe('a');
    const b = await start('b');
    await clock.step(5000);
    expect(story).toEqual(['start a']);
    a.stop.abort(new Error('SIGTERM'));
    await clock.step(2000);
    expect(await a.result).toBe('ended');
    // Within two seconds, and never both.
    expect(story).toEqual(['start a', 'stop a', 'start b']);
    expect(await holder()).toBe('b');
    b.stop.abort(new Error('SIGTERM'));
    await clock.step(2000);
    expect(await holder()).toBe('');
    expect(messages()).toContain('Requested to terminate. Exiting.');
  });

  test('tells of its lead in events', async () => {
    const a = await start('a');
    await clock.step(100);
    a.stop.abort(new Error('SIGTERM'));
    await clock.step(2000);
    const { items } = await client.resource(resources.events).list({ namespace: 'kube-system' });
    expect(items.map(({ message, source }) => `${source?.component}: ${message}`).toSorted()).toEqual([
      'kube-controller-manager: a became leader',
      'kube-controller-manager: a stopped leading',
    ]);
  });

  test('keeps the lease where the gate says so', async () => {
    const a = await start('a', { argv: ['--feature-gates=ControllerManagerReleaseLeaderElectionLockOnExit=false'] });
    await clock.step(100);
    a.stop.abort(new Error('SIGTERM'));
    await clock.step(2000);
    expect(await a.result).toBe('ended');
    expect(await holder()).toBe('a');
  });

  test('holds on to the lease until its controllers have ended', async () => {
    const a = await start('a', { slowness: 8000 });
    await clock.step(100);
    const b = await start('b');
    a.stop.abort(new Error('SIGTERM'));
    await clock.step(7900);
    expect(await holder()).toBe('a');
    await clock.step(2000);
    expect(story).toEqual(['start a', 'stop a', 'start b']);
    b.stop.abort(new Error('SIGTERM'));
  });

  test('ends without controllers that take too long, naming them', async () => {
    const a = await start('a', { slowness: 60_000, argv: ['--controller-shutdown-timeout=3s'] });
    await clock.step(100);
    a.stop.abort(new Error('SIGTERM'));
    await clock.step(5000);
    expect(await a.result).toBe('ended');
    expect(await holder()).toBe('');
    expect(lines.find((line) => line.includes('Controller shutdown timeout reached'))).toContain(
      '"runningControllers":["replicaset-controller"]',
    );
    await expect(a.poke()).rejects.toThrow('refused: this process is not the leader');
    await clock.step(60_000);
  });

  test('that lost its lease writes nothing more and says so', async () => {
    const a = await start('a');
    await clock.step(100);
    await a.poke();
    const lease = await client
      .resource(resources.leases)
      .get({ namespace: 'kube-system', name: 'kube-controller-manager' });
    await client.resource(resources.leases).update({ ...lease, spec: { ...lease.spec, holderIdentity: 'thief' } });
    await clock.step(15_000);
    await expect(a.poke()).rejects.toThrow('refused');
    expect(await a.result).toBe('leaderelection lost');
    expect(story).toEqual(['start a', 'stop a']);
    const { items } = await client.resource(resources.configMaps).list({ namespace: 'default' });
    expect(items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('a-'))).toEqual(['a-0']);
  });

  test('does not take the lease where it cannot serve', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    try {
      const a = await start('a', { argv: ['--bind-address=127.0.0.1', `--secure-port=${port}`, '--cert-dir='] });
      expect(await a.result).toContain(`--secure-port ${port}: listen EADDRINUSE`);
      await expect(holder()).rejects.toThrow('not found');
      expect(messages()).not.toContain('Requested to terminate. Exiting.');
    } finally {
      other.close();
    }
  });

  test('works at once without an election, unfenced', async () => {
    const a = await start('a', { argv: ['--leader-elect=false'] });
    await clock.step(100);
    expect(story).toEqual(['start a']);
    await a.poke();
    a.stop.abort(new Error('SIGTERM'));
    await clock.step(2000);
    expect(await a.result).toBe('ended');
  });

  test('runs migrated controllers under their own lease', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'migration-'));
    const file = join(folder, 'config.yaml');
    await writeFile(
      file,
      'kind: LeaderMigrationConfiguration\napiVersion: controllermanager.config.k8s.io/v1\nleaderName: moving\ncontrollerLeaders: [{ name: replicaset-controller, component: kube-controller-manager }]\n',
    );
    const a = await start('a', { argv: ['--enable-leader-migration', `--leader-migration-config=${file}`] });
    await clock.step(1000);
    expect(story).toEqual(['start a']);
    const lease = { namespace: 'kube-system', name: 'moving' };
    const moving = await client.resource(resources.leases).get(lease);
    expect([await holder(), moving.spec?.holderIdentity]).toEqual(['a', 'a']);
    await client.resource(resources.leases).update({ ...moving, spec: { ...moving.spec, holderIdentity: 'thief' } });
    await clock.step(15_000);
    expect(await a.result).toBe('leaderelection lost');
    await rm(folder, { recursive: true });
  });

  test('acts as service accounts where asked to', async () => {
    const a = await start('a', { argv: ['--use-service-account-credentials'] });
    await clock.step(100);
    await expect(a.poke()).rejects.toThrow(
      'User "system:serviceaccount:kube-system:replicaset-controller" cannot create resource "configmaps" in API group "" in the namespace "default"',
    );
    const { items } = await client.resource(resources.serviceAccounts).list({ namespace: 'kube-system' });
    expect(items.map(({ metadata }) => metadata.name)).toContain('replicaset-controller');
  });

  test('waits for an API server that does not answer, with a line each time', async () => {
    let away = true;
    const real = server.inProcessTransport();
    const own: typeof real = {
      ...real,
      roundTrip: (request) => (away ? Promise.reject(new Error('connection refused')) : real.roundTrip(request)),
      close: () => real.close(),
    };
    await start('a', {
      argv: ['--leader-elect=false'],
      connection: { own, anonymous: () => own, close: () => own.close() },
    });
    await clock.step(5000);
    expect(story).toEqual([]);
    expect(
      messages().filter((message) => message === 'Cannot get an answer from the API server, will retry').length,
    ).toBeGreaterThan(2);
    away = false;
    await clock.step(12_000);
    expect(story).toEqual(['start a']);
  });

  test('says of each controller why it does not run', async () => {
    await start('a', { argv: ['--leader-elect=false', '--controllers=*,-ttl'] });
    await clock.step(100);
    const said = lines
      .map((line) => JSON.parse(line) as { msg: string; controller?: string })
      .map(({ msg, controller }) => `${msg} ${controller ?? ''}`.trim());
    expect(said).toEqual(
      expect.arrayContaining([
        '"ttl-controller" is disabled',
        '"token-cleaner-controller" is disabled',
        'Skipping a cloud provider controller service-lb-controller',
        'Controller is disabled by a feature gate podgroup-protection-controller',
        'Controller is not part of this version yet job-controller',
      ]),
    );
  });
});

describe('beside a manager with the well-known lease', () => {
  const APART = '--leader-elect-resource-name=apart';
  const MESSAGE = 'Another kube-controller-manager is at work; controllers that it may run too do not run here.';
  const complaints = (): string[] => lines.filter((line) => line.includes(MESSAGE));

  test('does not run what that one may run, says what to do, and begins when it has gone', async () => {
    const original = await start('original');
    await clock.step(5000);
    await start('apart', { argv: [APART] });
    await clock.step(120_000);
    expect(story).toEqual(['start original']);
    expect(complaints()).toHaveLength(1);
    expect(JSON.parse(complaints()[0]!)).toMatchObject({
      holder: 'original',
      lease: 'kube-system/kube-controller-manager',
      controllers: ['replicaset-controller'],
      remedy:
        'start the other manager with --controllers=*,-replicaset-controller, then this one with --run-beside-other-manager',
    });
    original.stop.abort(new Error('SIGTERM'));
    await clock.step(4500);
    expect(story).toEqual(['start original', 'stop original', 'start apart']);
  });

  test('waits until a lease that nobody renews has run out by its own clock, whatever time stands in it', async () => {
    await client.resource(resources.leases).create({
      metadata: WELL_KNOWN,
      spec: { holderIdentity: 'ghost', leaseDurationSeconds: 15, renewTime: '2099-01-01T00:00:00.000000Z' },
    });
    await start('apart', { argv: [APART] });
    await clock.step(14_900);
    expect(story).toEqual([]);
    await clock.step(2500);
    expect(story).toEqual(['start apart']);
    expect(complaints()).toEqual([]);
  });

  test('runs at once where told to, and where there is no such lease', async () => {
    await start('original');
    await clock.step(5000);
    const apart = await start('apart', { argv: [APART, '--run-beside-other-manager'] });
    await clock.step(1000);
    expect(story).toEqual(['start original', 'start apart']);
    for (const manager of [running[0]!, apart]) manager.stop.abort(new Error('SIGTERM'));
    await clock.step(5000);
    await client.resource(resources.leases).delete(WELL_KNOWN);
    story.length = 0;
    await start('alone', { argv: [APART] });
    await clock.step(1000);
    expect(story).toEqual(['start alone']);
  });

  test('ends where that one begins later, and holds back when started again', async () => {
    const apart = await start('apart', { argv: [APART] });
    await clock.step(60_000);
    await start('original');
    await clock.step(5000);
    expect(story).toEqual(['start apart', 'start original', 'stop apart']);
    expect(await apart.result).toBe(MESSAGE);
    expect(messages()).not.toContain('leaderelection lost');
    await start('again', { argv: [APART] });
    await clock.step(60_000);
    expect(story).toHaveLength(3);
  });

  test('runs nothing while it cannot see the lease, and says so once', async () => {
    const real = server.inProcessTransport();
    let hidden = true;
    const own: typeof real = {
      ...real,
      roundTrip: (request) =>
        hidden && request.path.endsWith('/leases/kube-controller-manager')
          ? Promise.reject(new Error('forbidden'))
          : real.roundTrip(request),
      close: () => real.close(),
    };
    await start('apart', { argv: [APART], connection: { own, anonymous: () => own, close: () => own.close() } });
    await clock.step(60_000);
    expect(story).toEqual([]);
    const said = messages().filter(
      (message) => message === 'Cannot see whether another kube-controller-manager is at work',
    );
    expect(said).toHaveLength(1);
    hidden = false;
    await clock.step(2500);
    expect(story).toEqual(['start apart']);
  });

  test('holds back with a lease of that name in another namespace, too', async () => {
    await start('original');
    await clock.step(5000);
    await start('apart', { argv: ['--leader-elect-resource-namespace=default'] });
    await clock.step(60_000);
    expect(story).toEqual(['start original']);
    expect(complaints()).toHaveLength(1);
  });
});
