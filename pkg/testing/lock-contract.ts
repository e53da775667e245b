import { describe, expect, it } from 'vitest';
import type { LeaderElectionRecord, ResourceLock } from '#pkg/leaderelection';

/** Somewhere to keep one lock, empty at first. */
export interface LockWorld {
  /** Makes a new candidate on the same lock. */
  lock(identity: string): ResourceLock;
  /** Removes the object behind the lock. */
  remove(): Promise<void>;
  close?(): Promise<void>;
}

/** What every `ResourceLock` does. Run it with a function that makes an empty world. */
export function describeLockContract(name: string, createWorld: () => Promise<LockWorld> | LockWorld): void {
  const options = { signal: new AbortController().signal, timeout: 5000 };
  const record = (holderIdentity: string, change: Partial<LeaderElectionRecord> = {}): LeaderElectionRecord => ({
    holderIdentity,
    leaseDurationSeconds: 15,
    acquireTime: '2026-01-02T03:04:05.000006Z',
    renewTime: '2026-01-02T03:04:07.123456Z',
    leaderTransitions: 3,
    ...change,
  });
  const withWorld = (test: (world: LockWorld) => Promise<void>) => async (): Promise<void> => {
    const world = await createWorld();
    try {
      await test(world);
    } finally {
      await world.close?.();
    }
  };

  describe(`${name} keeps the contract of a resource lock`, () => {
    it(
      'has nothing to read at first',
      withWorld(async (world) => {
        expect(await world.lock('a').get(options)).toBeUndefined();
      }),
    );

    it(
      'reads for others what one wrote, to the microsecond',
      withWorld(async (world) => {
        await world.lock('a').create(record('a'), options);
        expect(await world.lock('b').get(options)).toEqual(record('a'));
      }),
    );

    it(
      'creates only once',
      withWorld(async (world) => {
        await world.lock('a').create(record('a'), options);
        await expect(world.lock('b').create(record('b'), options)).rejects.toThrow(Error);
        expect(await world.lock('c').get(options)).toEqual(record('a'));
      }),
    );

    it(
      'updates again and again without reading',
      withWorld(async (world) => {
        const lock = world.lock('a');
        await lock.create(record('a'), options);
        for (let i = 4; i < 7; i++) await lock.update(record('a', { leaderTransitions: i }), options);
        expect(await world.lock('b').get(options)).toEqual(record('a', { leaderTransitions: 6 }));
      }),
    );

    it(
      'does not update what somebody else has changed since it was read',
      withWorld(async (world) => {
        const [a, b] = [world.lock('a'), world.lock('b')];
        await a.create(record('a'), options);
        await b.get(options);
        await a.update(record('a', { renewTime: '2026-01-02T03:04:09.000000Z' }), options);
        await expect(b.update(record('b'), options)).rejects.toThrow(Error);
        await b.get(options);
        await b.update(record('b'), options);
        await expect(a.update(record('a'), options)).rejects.toThrow(Error);
        expect(await a.get(options)).toEqual(record('b'));
      }),
    );

    it(
      'does not update what it never read, nor what is gone',
      withWorld(async (world) => {
        const [a, b] = [world.lock('a'), world.lock('b')];
        await a.create(record('a'), options);
        await expect(b.update(record('b'), options)).rejects.toThrow(Error);
        await world.remove();
        await expect(a.update(record('a'), options)).rejects.toThrow(Error);
        expect(await a.get(options)).toBeUndefined();
      }),
    );

    it(
      'can be held by nobody',
      withWorld(async (world) => {
        const lock = world.lock('a');
        await lock.create(record('a'), options);
        await lock.update(record('', { leaseDurationSeconds: 1 }), options);
        expect(await world.lock('b').get(options)).toEqual(record('', { leaseDurationSeconds: 1 }));
      }),
    );

    it(
      'keeps what belongs to coordinated election',
      withWorld(async (world) => {
        const coordinated = { strategy: 'OldestEmulationVersion', preferredHolder: 'b' };
        const lock = world.lock('a');
        await lock.create(record('a', coordinated), options);
        await lock.update(record('a', { leaderTransitions: 4, ...coordinated }), options);
        expect(await world.lock('b').get(options)).toEqual(record('a', { leaderTransitions: 4, ...coordinated }));
      }),
    );

    it(
      'does nothing once its signal is aborted',
      withWorld(async (world) => {
        const aborted = { signal: AbortSignal.abort(new Error('enough')), timeout: 5000 };
        await expect(world.lock('a').create(record('a'), aborted)).rejects.toThrow(Error);
        expect(await world.lock('b').get(options)).toBeUndefined();
      }),
    );

    it(
      'shows changes to those who watch, if it can be watched at all',
      withWorld(async (world) => {
        const lock = world.lock('a');
        await lock.create(record('a'), options);
        const end = new AbortController();
        const changes = world.lock('b').watch?.(end.signal)[Symbol.asyncIterator]();
        if (changes === undefined) return;
        expect(await changes.next()).toEqual({ done: false, value: record('a') });
        const next = changes.next();
        await lock.update(record(''), options);
        expect(await next).toEqual({ done: false, value: record('') });
        const last = changes.next();
        await world.remove();
        expect(await last).toEqual({ done: false, value: undefined });
        end.abort();
        // A stream may end by throwing what ended it.
        await changes.next().catch(() => {});
      }),
    );
  });
}
