import { expect, test } from 'vitest';

import { TransportError } from '#pkg/client';
import { failureOf, rawSettings } from '#pkg/testing';

import { SETTING } from './http2/frames.ts';
import type { Http2Session } from './http2/http2-session.ts';
import { SessionWorld, head } from './http2/session-world.fixture.ts';
import { SessionPool } from './session-pool.ts';

const GET = { method: 'GET', path: '/', headers: {}, lane: 'read' } as const;

/** A pool of one connection that takes one stream at a time. `onRoom` is told behind the pool. */
function poolOfOne(onRoom: () => void): { pool: SessionPool; worlds: SessionWorld[] } {
  const worlds: SessionWorld[] = [];
  const open = async (owner: SessionPool): Promise<Http2Session> => {
    const world = new SessionWorld({
      onRoom: () => {
        owner.notify();
        onRoom();
      },
      onChange: () => owner.notifyAll(),
      onClose: () => owner.remove(world.session),
    });
    worlds.push(world);
    await world.give(rawSettings([SETTING.MAX_CONCURRENT_STREAMS, 1]));
    return world.session;
  };
  return { pool: new SessionPool(open, 1), worlds };
}

test('room is given to another when the one it was given to goes away', async () => {
  const impatient = new AbortController();
  const { pool, worlds } = poolOfOne(() => impatient.abort(new Error('no longer')));
  const first = await pool.acquire(undefined);
  const second = pool.acquire(impatient.signal);
  const others = [pool.acquire(undefined), pool.acquire(undefined)];
  const refusal = failureOf(second);
  const [world] = worlds;
  // Each request that ends makes room for one more; the first of them, for the impatient.
  for (const [i, session] of [Promise.resolve(first), ...others].entries()) {
    const answer = (await session).request(GET, {}, '/');
    await world!.peer.turn();
    await world!.give(head(2 * i + 1, true));
    expect(await answer).toMatchObject({ status: 200 });
  }
  expect(await refusal).toBe(impatient.signal.reason);
  expect(worlds).toHaveLength(1);
  pool.destroy(new TransportError('closed', 'the end'));
  expect(pool.size).toBe(0);
});
