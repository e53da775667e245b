import { describe, expect, test, vi } from 'vitest';

import { FakeClock, FastClock, TcpProxy, failureOf, startTestServer } from '#pkg/testing';

import { DialBackoff } from './dial-backoff.ts';
import { createHttpTransport } from './http-transport.ts';

const never = new AbortController().signal;

function world() {
  const clock = new FakeClock();
  const backoff = new DialBackoff(clock, () => 1);
  const turns: number[] = [];
  let failures = 0;
  const ask = (): void =>
    void backoff.turn(never).then(
      () => turns.push(clock.monotonic()),
      () => failures++,
    );
  return { clock, backoff, turns, ask, fail: () => backoff.failed(new Error('unreachable')), failures: () => failures };
}

describe('the back-off of connections', () => {
  test('lets everyone go ahead while nothing has failed', async () => {
    const { clock, turns, ask } = world();
    for (let i = 0; i < 3; i++) ask();
    await clock.step(0);
    expect(turns).toEqual([0, 0, 0]);
  });

  test('waits twice as long after each failure, up to two seconds, one at a time', async () => {
    const { clock, turns, ask, fail, failures } = world();
    fail();
    const delays: number[] = [];
    for (let i = 0; i < 7; i++) {
      const from = clock.monotonic();
      for (let asked = 0; asked < 5; asked++) ask();
      await clock.step(10_000);
      expect(turns).toHaveLength(i + 1);
      delays.push(turns.at(-1)! - from);
      fail();
      await clock.step(0);
      // Those who waited meanwhile need not find out for themselves.
      expect(failures()).toBe((i + 1) * 4);
    }
    expect(delays).toEqual([100, 200, 400, 800, 1600, 2000, 2000]);
  });

  test('an answer lets all go that wait, and the next failure is the first again', async () => {
    const { clock, backoff, turns, ask, fail } = world();
    for (let i = 0; i < 6; i++) fail();
    for (let i = 0; i < 5; i++) ask();
    await clock.step(100);
    expect(turns).toEqual([]);
    backoff.answered();
    await clock.step(0);
    expect(turns).toEqual([100, 100, 100, 100, 100]);
    fail();
    ask();
    await clock.step(100);
    expect(turns.at(-1)).toBe(200);
  });

  test('a connection that opens is no answer yet: the next waits as long again, and no longer', async () => {
    const { clock, backoff, turns, ask, fail } = world();
    fail();
    for (let i = 0; i < 2; i++) ask();
    await clock.step(100);
    expect(turns).toEqual([100]);
    backoff.opened();
    await clock.step(100);
    expect(turns).toEqual([100, 200]);
    fail();
    ask();
    await clock.step(199);
    expect(turns).toHaveLength(2);
  });

  test('who gives up waiting leaves nothing behind', async () => {
    const { clock, backoff, turns, ask, fail } = world();
    fail();
    const stop = new AbortController();
    const waiting = backoff.turn(stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    ask();
    await clock.step(100);
    expect(turns).toEqual([100]);
    expect(clock.pending).toBe(0);
  });
});

describe('a server that cannot be reached', () => {
  const SPEED = 20;

  test('is asked for the lease without any wait', async () => {
    const clock = new FakeClock();
    const transport = createHttpTransport({ server: 'https://127.0.0.1:1', environment: {}, clock, random: () => 1 });
    const get = (lane: 'read' | 'lease'): Promise<unknown> =>
      failureOf(transport.roundTrip({ method: 'GET', path: '/', headers: {}, lane }));
    expect(await get('read')).toMatchObject({ code: 'refused' });
    const waiting = get('read');
    for (let i = 0; i < 3; i++) expect(await get('lease')).toMatchObject({ code: 'refused' });
    expect(clock.pending).toBe(1);
    await clock.step(100);
    expect(await waiting).toMatchObject({ code: 'refused' });
    await transport.close();
    expect(clock.pending).toBe(0);
  });

  test.each(['h2', 'https', 'http'] as const)(
    '%s: is dialled by all who need it together, and found again at once',
    { timeout: 30_000 },
    async (protocol) => {
      const server = await startTestServer(() => ({ status: 200, body: 'answer' }), { protocol });
      const proxy = await TcpProxy.start(server.port);
      const clock = new FastClock(SPEED);
      const scheme = protocol === 'http' ? 'http' : 'https';
      const transport = createHttpTransport({
        server: `${scheme}://127.0.0.1:${proxy.port}`,
        tls: { ca: { data: server.authority.certificate } },
        environment: {},
        clock,
      });
      const get = async (lane: 'read' | 'write'): Promise<string> => {
        const { body } = await transport.roundTrip({ method: 'GET', path: '/', headers: {}, lane });
        let text = '';
        for await (const chunk of body) text += Buffer.from(chunk).toString();
        return text;
      };
      try {
        for (const lane of ['read', 'write'] as const) await get(lane);
        // Accepted and cut before the first byte, as by a server that drains behind a load balancer.
        proxy.cutAfter(0, 'rst');
        proxy.blackHole();
        proxy.cutAll('rst');
        const cutting = setInterval(() => proxy.cutAll('rst'), 1);
        const before = proxy.accepted;
        const end = clock.monotonic() + 40_000;
        const keys = Array.from({ length: 40 }, async (_, i) => {
          while (clock.monotonic() < end) {
            await get(i % 2 === 0 ? 'read' : 'write').catch(() => {});
            await new Promise((resolve) => clock.setTimeout(() => resolve(undefined), 50));
          }
        });
        await Promise.all(keys);
        // In 40 s: five while the waits grow, then one in 1 to 2 s; over HTTP/1.1 each of the 40 has one under way before.
        expect(proxy.accepted - before).toBeLessThan(protocol === 'h2' ? 60 : 100);
        clearInterval(cutting);
        proxy.heal();
        proxy.cutAll('rst');
        const back = clock.monotonic();
        await Promise.any(Array.from({ length: 10 }, () => get('write')));
        expect(clock.monotonic() - back).toBeLessThan(6000);
      } finally {
        await transport.close();
        await proxy.close();
        await server.close();
      }
      // The last sockets close a moment later.
      await vi.waitFor(() => expect(clock.pending).toBe(0), 5000);
    },
  );
});
