import { afterEach, describe, expect, it } from 'vitest';
import { seededRandom } from '#pkg/base';
import { silentLogger } from '#pkg/log';
import { Metrics } from '#pkg/metrics';
import { FakeClock, MemoryLockStore, settle } from '#pkg/testing';
import { HealthzAdaptor, type LeaderElectionConfig, LeaderElectionError, LeaderElector, runOrDie } from './index.ts';

const started: { stop: () => void; ended: Promise<unknown> }[] = [];
const clocks: FakeClock[] = [];
afterEach(async () => {
  for (const candidate of started) candidate.stop();
  const ends = Promise.all(started.splice(0).map((candidate) => candidate.ended));
  for (const clock of clocks) await clock.step(60_000);
  await ends;
  for (const clock of clocks.splice(0)) if (clock.pending > 0) throw new Error(`${clock.pending} timers leaked`);
});

function world() {
  const clock = new FakeClock('2026-01-02T03:04:05.678Z');
  clocks.push(clock);
  const store = new MemoryLockStore();
  const metrics = new Metrics();
  const candidate = (
    identity: string,
    change: Partial<LeaderElectionConfig> & {
      polling?: boolean;
      work?: (signal: AbortSignal) => void | Promise<void>;
    } = {},
  ) => {
    const calls: string[] = [];
    const abort = new AbortController();
    let leading: AbortSignal | undefined;
    const { polling, work, ...rest } = change;
    const config: LeaderElectionConfig = {
      lock: store.lock(identity, { polling: polling ?? false }),
      leaseDuration: 15_000,
      renewDeadline: 10_000,
      retryPeriod: 2000,
      releaseOnCancel: true,
      name: identity,
      clock,
      random: seededRandom(identity.length),
      log: silentLogger,
      metrics,
      callbacks: {
        onStartedLeading: (signal) => {
          calls.push('started');
          leading = signal;
          return work?.(signal);
        },
        onStoppedLeading: () => void calls.push('stopped'),
        onNewLeader: (leader) => void calls.push(`leader ${leader}`),
      },
      ...rest,
    };
    const elector = new LeaderElector(config);
    let failure: unknown;
    const ended = elector.run(abort.signal).catch((error: unknown) => (failure = error));
    const self = { elector, calls, ended, stop: () => abort.abort(), leading: () => leading, failure: () => failure };
    started.push(self);
    return self;
  };
  /** Stops answering one candidate, as if its process were gone. */
  const cut = (identity: string): void => {
    const before = store.intercept;
    store.intercept = (by, verb) => (by === identity ? new Promise<void>(() => {}) : before(by, verb));
  };
  return { clock, store, metrics, candidate, cut };
}

const refusedBy = (elector: LeaderElector): string => {
  try {
    elector.fence();
    return 'open';
  } catch (error) {
    return error instanceof LeaderElectionError ? error.code : String(error);
  }
};

describe('configuration', () => {
  const valid = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2000 };
  const rows = [
    [{ ...valid, leaseDuration: 10_000 }, 'leaseDuration must be greater than renewDeadline'],
    [{ ...valid, renewDeadline: 2400 }, 'renewDeadline must be greater than retryPeriod*JitterFactor'],
    [{ leaseDuration: 0, renewDeadline: -1, retryPeriod: -1 }, 'leaseDuration must be greater than zero'],
    [{ leaseDuration: 1, renewDeadline: 0, retryPeriod: -1 }, 'renewDeadline must be greater than zero'],
    [{ ...valid, retryPeriod: 0 }, 'retryPeriod must be greater than zero'],
    [{ ...valid, maxClockDrift: 1 }, 'maxClockDrift must be at least zero and less than one'],
    [{ ...valid, lock: new MemoryLockStore().lock('') }, 'Lock identity is empty'],
  ] as const;
  it.each(rows)('%j: %s', async (change, message) => {
    const config: LeaderElectionConfig = {
      lock: new MemoryLockStore().lock('a'),
      callbacks: { onStartedLeading: () => {}, onStoppedLeading: () => {} },
      clock: new FakeClock(),
      random: seededRandom(1),
      log: silentLogger,
      ...change,
    };
    expect(() => new LeaderElector(config)).toThrow(message);
    await expect(runOrDie(config, AbortSignal.abort())).rejects.toMatchObject({ code: 'invalid-config' });
  });
});

describe('winning', () => {
  it('creates the lock, reports, and leads', async () => {
    const { store, candidate, metrics } = world();
    const a = candidate('a');
    await settle();
    expect(store.record).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-02T03:04:05.678000Z',
      renewTime: '2026-01-02T03:04:05.678000Z',
      leaderTransitions: 0,
    });
    expect(a.calls).toEqual(['leader a', 'started']);
    expect(a.elector.isLeader()).toBe(true);
    expect(a.elector.getLeader()).toBe('a');
    expect(refusedBy(a.elector)).toBe('open');
    expect(store.events).toEqual(['a became leader']);
    expect(await metrics.expose()).toContain('leader_election_master_status{name="a"} 1');
  });

  it('renews every retry period without reading first, and keeps the acquire time', async () => {
    const { clock, store, candidate } = world();
    candidate('a');
    await clock.step(60_000);
    expect(store.requests.map((request) => request.verb)).toEqual([
      'get',
      'create',
      ...Array<string>(30).fill('update'),
    ]);
    expect(store.record).toMatchObject({
      acquireTime: '2026-01-02T03:04:05.678000Z',
      renewTime: '2026-01-02T03:05:05.678000Z',
    });
  });

  it('is given to one only; the others report it', async () => {
    const { clock, candidate } = world();
    const a = candidate('a');
    await settle();
    const b = candidate('b');
    await clock.step(100_000);
    expect([a.calls, b.calls]).toEqual([['leader a', 'started'], ['leader a']]);
    expect(refusedBy(b.elector)).toBe('not-leading');
  });

  it.each([true, false])(
    'takes over within lease duration and jittered retry period after a crash; polling: %s',
    async (polling) => {
      const { clock, store, candidate, cut } = world();
      candidate('a');
      await settle();
      const b = candidate('b', { polling });
      await clock.step(9000);
      cut('a');
      const before = clock.monotonic();
      await clock.stepUntil(() => b.elector.isLeader());
      expect(clock.monotonic() - before).toBeLessThanOrEqual(15_000 + (polling ? 2000 * 2.2 : 0) + 200);
      expect(clock.monotonic() - before).toBeGreaterThan(15_000 - 2000);
      expect(store.record).toMatchObject({ holderIdentity: 'b', leaderTransitions: 1 });
      expect(b.calls).toEqual(['leader a', 'leader b', 'started']);
    },
  );

  it('takes up a lease that is given back at once', async () => {
    const { clock, candidate, store } = world();
    const a = candidate('a');
    await settle();
    const b = candidate('b');
    await clock.step(31_000);
    a.stop();
    await settle();
    expect(store.record).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1, leaderTransitions: 0 });
    await clock.step(200);
    expect(b.elector.isLeader()).toBe(true);
    expect(store.record).toMatchObject({ holderIdentity: 'b', leaderTransitions: 1 });
    expect(a.calls).toEqual(['leader a', 'started', 'stopped']);
    expect(store.events).toEqual(['a became leader', 'a stopped leading', 'b became leader']);
  });

  it('keeps what another candidate wrote for coordinated election', async () => {
    const { store, candidate } = world();
    const old = { leaseDurationSeconds: 1, acquireTime: '', renewTime: '', leaderTransitions: 7 };
    store.write({ ...old, holderIdentity: '', strategy: 'OldestEmulationVersion' });
    candidate('a');
    await settle();
    expect(store.record).toMatchObject({
      holderIdentity: 'a',
      leaderTransitions: 8,
      strategy: 'OldestEmulationVersion',
    });
  });

  it('takes back at once what is held in its own name', async () => {
    const { store, candidate, metrics } = world();
    store.write({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: 'then',
      renewTime: 'then',
      leaderTransitions: 7,
    });
    const a = candidate('a');
    await settle();
    expect(a.elector.isLeader()).toBe(true);
    expect(store.record).toMatchObject({ acquireTime: 'then', leaderTransitions: 7 });
    expect(await metrics.expose()).toContain('leader_election_slowpath_total{name="a"} 1');
  });
});

describe('losing', () => {
  it('gives up when it cannot renew within the deadline, and leaves the lease alone', async () => {
    const { clock, store, candidate, metrics } = world();
    const a = candidate('a');
    await clock.step(4000);
    store.intercept = () => Promise.reject(new Error('down'));
    const last = store.writes.length;
    await clock.step(11_900);
    expect(a.calls).not.toContain('stopped');
    await clock.step(200);
    expect(a.calls).toEqual(['leader a', 'started', 'stopped']);
    expect(a.leading()?.reason).toMatchObject({ code: 'leadership-lost', data: { because: 'renewal-failed' } });
    expect(store.writes).toHaveLength(last);
    expect(refusedBy(a.elector)).toBe('not-leading');
    expect(await metrics.expose()).toContain('leader_election_master_status{name="a"} 0');
    expect(store.events).toEqual(['a became leader', 'a stopped leading']);
  });

  it('also when requests hang and nobody listens to their signal', async () => {
    const { clock, candidate, cut } = world();
    const a = candidate('a');
    await clock.step(4000);
    cut('a');
    await clock.step(12_100);
    expect(a.calls).toEqual(['leader a', 'started', 'stopped']);
  });

  it('survives an outage shorter than that', async () => {
    const { clock, store, candidate } = world();
    const a = candidate('a');
    await clock.step(4000);
    store.intercept = () => Promise.reject(new Error('down'));
    await clock.step(9000);
    store.intercept = () => {};
    await clock.step(60_000);
    expect(a.calls).toEqual(['leader a', 'started']);
    expect(store.record).toMatchObject({ holderIdentity: 'a', leaderTransitions: 0 });
  });

  it('after a stop of the process past its lease writes nothing more', async () => {
    const { clock, store, candidate } = world();
    const a = candidate('a');
    await clock.step(5000);
    clock.pause(16_000);
    // Before any timer had its turn.
    expect(refusedBy(a.elector)).toBe('lease-expired');
    const requests = store.requests.length;
    await clock.step(30_000);
    expect(a.calls).toEqual(['leader a', 'started', 'stopped']);
    expect(a.leading()?.reason).toMatchObject({ data: { because: 'lease-expired' } });
    expect(store.requests).toHaveLength(requests);
  });

  it('counts the lease from before the renewal was sent', async () => {
    const { clock, store, candidate } = world();
    const a = candidate('a');
    await clock.step(1900);
    let answer = (): void => {};
    store.intercept = () => new Promise((resolve) => (answer = resolve));
    await clock.step(100);
    clock.pause(14_900);
    answer();
    await settle();
    // The write is there, but when it was sent is 14.9 s ago.
    expect(store.writes).toHaveLength(2);
    expect(refusedBy(a.elector)).not.toBe('open');
  });

  it('ends at once when somebody else holds the lease', async () => {
    const { clock, store, candidate } = world();
    const a = candidate('a');
    await clock.step(3000);
    store.write({ ...store.record!, holderIdentity: 'thief' }, 'thief');
    await clock.step(1000);
    expect(a.calls).toEqual(['leader a', 'started', 'stopped']);
    expect(a.leading()?.reason).toMatchObject({ data: { because: 'other-holder' } });
    expect(store.record).toMatchObject({ holderIdentity: 'thief' });
    expect(a.elector.getLeader()).toBe('thief');
  });

  it('makes the lock anew when somebody deletes it', async () => {
    const { clock, store, candidate } = world();
    const a = candidate('a');
    await clock.step(3000);
    store.write(undefined);
    await clock.step(3000);
    expect(a.calls).toEqual(['leader a', 'started']);
    expect(store.record).toMatchObject({ holderIdentity: 'a', leaderTransitions: 0 });
  });
});

describe('leaving', () => {
  it('keeps the lease until the work has ended, then gives it back', async () => {
    const { clock, store, candidate } = world();
    let finish = (): void => {};
    const a = candidate('a', { work: () => new Promise<void>((resolve) => (finish = resolve)) });
    await clock.step(3000);
    a.stop();
    await clock.step(30_000);
    expect(a.leading()?.aborted).toBe(true);
    expect(a.calls).not.toContain('stopped');
    expect(store.record).toMatchObject({ holderIdentity: 'a', renewTime: '2026-01-02T03:04:37.678000Z' });
    expect(refusedBy(a.elector)).toBe('open');
    finish();
    await settle();
    expect(store.record).toMatchObject({ holderIdentity: '' });
    expect(refusedBy(a.elector)).toBe('not-leading');
    expect(a.calls).toEqual(['leader a', 'started', 'stopped']);
  });

  it('does not give it back unless told to', async () => {
    const { clock, store, candidate } = world();
    const a = candidate('a', { releaseOnCancel: false });
    await clock.step(3000);
    a.stop();
    await settle();
    expect(a.calls).toEqual(['leader a', 'started', 'stopped']);
    expect(store.record).toMatchObject({ holderIdentity: 'a' });
  });

  it('does not give back what has run out', async () => {
    const { clock, store, candidate } = world();
    const a = candidate('a');
    await clock.step(3000);
    clock.pause(20_000);
    a.stop();
    const requests = store.requests.length;
    await settle();
    expect(store.requests).toHaveLength(requests);
    expect(a.calls).toEqual(['leader a', 'started', 'stopped']);
  });

  it('ends in time when nobody answers', async () => {
    const { clock, candidate, cut } = world();
    const a = candidate('a');
    await clock.step(3000);
    cut('a');
    a.stop();
    await clock.step(10_000);
    expect(a.calls).toEqual(['leader a', 'started', 'stopped']);
  });

  it('ends a candidate at once, whatever it waits for', async () => {
    const { clock, candidate, store } = world();
    candidate('a');
    await settle();
    const b = candidate('b');
    await clock.step(3000);
    b.stop();
    await settle();
    expect(b.calls).toEqual(['leader a', 'stopped']);
    store.intercept = (by) => (by === 'c' ? new Promise<void>(() => {}) : undefined);
    const c = candidate('c');
    await settle();
    c.stop();
    await settle();
    expect(c.calls).toEqual(['stopped']);
    expect(store.events).toEqual(['a became leader']);
  });

  it('gives back what it won while being asked to leave, without having begun', async () => {
    const { candidate, store } = world();
    let answer = (): void => {};
    store.intercept = (_by, verb) => (verb === 'create' ? new Promise((resolve) => (answer = resolve)) : undefined);
    const a = candidate('a');
    await settle();
    a.stop();
    answer();
    await settle();
    expect(a.calls).toEqual(['leader a', 'stopped']);
    expect(store.record).toMatchObject({ holderIdentity: '' });
  });

  it('leaves and rejects when the work fails', async () => {
    const { candidate, store } = world();
    const a = candidate('a', { work: () => Promise.reject(new Error('broken')) });
    await settle();
    expect(a.calls).toEqual(['leader a', 'started', 'stopped']);
    expect(store.record).toMatchObject({ holderIdentity: '' });
    expect(a.failure()).toMatchObject({ message: 'broken' });
  });

  it('may run again', async () => {
    const { candidate } = world();
    const a = candidate('a');
    await settle();
    await expect(a.elector.run(new AbortController().signal)).rejects.toMatchObject({ code: 'already-running' });
    a.stop();
    await a.ended;
    const again = new AbortController();
    const ended = a.elector.run(again.signal);
    await settle();
    expect(a.elector.isLeader()).toBe(true);
    again.abort();
    await ended;
  });
});

describe('health', () => {
  it('is bad only for a leader that has not noticed its end for so long', async () => {
    const { clock, candidate } = world();
    const watchDog = new HealthzAdaptor(20_000);
    watchDog.check();
    const a = candidate('a');
    watchDog.setLeaderElection(a.elector);
    await clock.step(5000);
    clock.pause(33_000);
    watchDog.check();
    clock.pause(2000);
    expect(() => watchDog.check()).toThrow('failed election to renew leadership on lease a');
    await clock.step(1);
    watchDog.check();
  });
});
