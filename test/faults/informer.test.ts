/**
 * An informer over real HTTP while connections and answers are broken in every way known, with objects changing all the
 * while. After each fault the cache and every handler hold what the server holds, the server was not asked more often
 * than the back-off allows, and nothing is left behind. Our clocks run 20 times as fast as the wall's.
 * FAULT_SEED=n repeats a run.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { resources } from '#pkg/api';
import { seededRandom } from '#pkg/base';
import { corrupted, refusing, shuffledLines, truncated } from '#pkg/testing';
import { type ClientConfig, loadClientConfig } from '#pkg/transport';

import { type ControlPlane, controlPlaneKind, startControlPlane } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { type TestClient, createTestClient } from '../harness/test-client.ts';
import { SPEED, type UnderFire, underFire } from './informer-under-fire.ts';

let plane: ControlPlane;
let direct: TestClient;
let config: ClientConfig;

beforeAll(async () => {
  plane = await startControlPlane();
  direct = await createTestClient(plane.adminKubeconfig);
  config = await loadClientConfig({ kubeconfig: plane.adminKubeconfig });
}, 60_000);

afterAll(async () => {
  await direct?.close();
  await plane?.stop();
});

const isWatch = (path: string): boolean => path.includes('watch=');
const isStream = (path: string): boolean => path.includes('sendInitialEvents=true');
const isCollection = (path: string): boolean => path.includes('/configmaps');

/** Each leaves the world broken for some time, changing objects meanwhile, and as it was in the end. */
const faults: Record<string, (world: UnderFire, random: () => number) => Promise<void>> = {
  'the server is gone and comes back': async ({ proxy, churn }) => {
    await proxy.refuse();
    await churn(40);
    await proxy.accept();
  },
  'connections are cut at random bytes': async ({ proxy, churn }, random) => {
    for (let i = 0; i < 12; i++) {
      proxy.cutAfter(Math.floor(random() * 20_000), random() < 0.5 ? 'rst' : 'fin');
      proxy.cutAll(random() < 0.5 ? 'rst' : 'fin');
      await churn(4);
    }
  },
  'connections are accepted and never answered': async ({ proxy, churn }) => {
    proxy.blackHole();
    proxy.cutAll('rst');
    await churn(60);
  },
  'stalls of ten seconds': async ({ proxy, churn }) => {
    for (let i = 0; i < 4; i++) {
      proxy.stall();
      await churn(10);
      proxy.heal();
      await churn(2);
    }
  },
  'the peer falls silent for minutes': async ({ proxy, churn }) => {
    proxy.stall();
    await churn(90);
    // What was silent never speaks again; only new connections do.
    proxy.cutAll('rst');
  },
  'every answer is slow': async ({ proxy, churn }) => {
    proxy.delay(30);
    proxy.cutAll('rst');
    await churn(40);
  },
  'a storm of 410': async ({ transport, proxy, churn }) => {
    transport.answer = ({ path }) =>
      isCollection(path) && isWatch(path) && !isStream(path) ? refusing(410, 'Expired') : undefined;
    for (let i = 0; i < 4; i++) {
      proxy.cutAll('rst');
      await churn(10);
    }
  },
  '410 for everything that streams and watches': async ({ transport, proxy, churn }) => {
    transport.answer = ({ path }) => (isWatch(path) ? refusing(410, 'Expired') : undefined);
    proxy.cutAll('rst');
    await churn(40);
  },
  '429 with Retry-After': async ({ transport, proxy, churn }) => {
    transport.answer = ({ path }) =>
      isCollection(path) ? refusing(429, 'TooManyRequests', { 'retry-after': '5' }) : undefined;
    proxy.cutAll('rst');
    await churn(40);
  },
  '429 without Retry-After': async ({ transport, proxy, churn }) => {
    transport.answer = ({ path }) => (isCollection(path) ? refusing(429, 'TooManyRequests') : undefined);
    proxy.cutAll('rst');
    await churn(40);
  },
  'a burst of 500': async ({ transport, proxy, churn }) => {
    transport.answer = ({ path }) => (isCollection(path) ? refusing(500, 'InternalError') : undefined);
    proxy.cutAll('rst');
    await churn(40);
  },
  'forbidden for a while': async ({ transport, proxy, churn }) => {
    transport.answer = ({ path }) => (isCollection(path) ? refusing(403, 'Forbidden') : undefined);
    proxy.cutAll('rst');
    await churn(40);
  },
  'truncated answers': async ({ transport, proxy, churn }, random) => {
    transport.garble = (_, body) => truncated(body, Math.floor(random() * 3000));
    proxy.cutAll('rst');
    await churn(40);
  },
  'garbage in the answers': async ({ transport, proxy, churn }) => {
    transport.garble = (_, body) => corrupted(body, 700);
    proxy.cutAll('rst');
    await churn(40);
  },
  'events repeated and out of order after every resume': async ({ transport, proxy, churn }, random) => {
    transport.garble = ({ path }, body) => (isWatch(path) && !isStream(path) ? shuffledLines(body, random) : body);
    for (let i = 0; i < 5; i++) {
      proxy.cutAll('rst');
      await churn(8);
    }
  },
  'the wall clock jumps': async ({ clock, proxy, churn }) => {
    for (const hours of [5, -10, 1000, -5000]) {
      clock.jumpWall(hours * 3_600_000);
      proxy.cutAll('rst');
      await churn(8);
    }
  },
  'streamed lists are not to be had': async ({ transport, proxy, churn }) => {
    let expired = false;
    transport.answer = ({ path }) => {
      if (isStream(path)) return refusing(422, 'Invalid');
      if (!isWatch(path) || expired) return undefined;
      expired = true;
      return refusing(410, 'Expired');
    };
    proxy.cutAll('rst');
    await churn(20);
  },
};

describe.concurrent.each(Object.entries(faults))(`informer against the ${controlPlaneKind()}: %s`, (name, fault) => {
  const seed = Number(process.env['FAULT_SEED'] ?? Date.now() % 1_000_000);

  test(`recovers (seed ${seed})`, { timeout: 60_000 }, async () => {
    const slug = name
      .replaceAll(/[^a-z0-9]+/gi, '-')
      .toLowerCase()
      .slice(0, 40);
    const namespace = `faults-${slug}-${Date.now().toString(36)}`;
    await direct.client.resource(resources.namespaces).create({ metadata: { name: namespace } });
    const world = await underFire(config, direct.client, namespace, seed);
    await world.churn(4);
    const begun = world.clock.monotonic();
    const before = world.requests();
    await fault(world, seededRandom(seed));
    world.transport.heal();
    world.proxy.heal();
    const lasted = (world.clock.monotonic() - begun) / 1000;
    // The back-off begins with 0.8 s and stays below 3.2 s while there is progress; a loop without one would send thousands.
    expect(world.requests() - before).toBeLessThan(15 + lasted / 2);
    await world.churn(4);
    await eventually(async () => expect(await world.differences()).toEqual([]), 15_000);
    // And it goes on from there, without another request.
    await sleep(1000 / SPEED);
    await world.churn(1);
    await eventually(async () => expect(await world.differences()).toEqual([]), 15_000);
    expect(await world.stop()).toEqual({ timers: 0, connections: 0 });
    await direct.client.resource(resources.namespaces).delete({ name: namespace });
  });
});
