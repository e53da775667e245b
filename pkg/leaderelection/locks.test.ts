import { describe, expect, it } from 'vitest';
import { type Lease, resources } from '#pkg/api';
import type { Client } from '#pkg/client';
import { FakeClock, FakeCluster, MemoryLockStore, RecordedEvents, describeLockContract } from '#pkg/testing';
import { LeaseLock } from './index.ts';

const KEY = 'kube-system/test';
const options = { signal: new AbortController().signal, timeout: 5000 };

describeLockContract('a lock in memory', () => {
  const store = new MemoryLockStore();
  return {
    lock: (identity) => store.lock(identity),
    remove: async () => void store.write(undefined),
  };
});

describeLockContract('a Lease', () => {
  const cluster = new FakeCluster({ clock: new FakeClock() });
  return {
    lock: (identity) => new LeaseLock({ client: cluster.client(), namespace: 'kube-system', name: 'test', identity }),
    remove: async () => cluster.delete(resources.leases, KEY),
  };
});

describe('a Lease', () => {
  const leaseLock = (recorder?: RecordedEvents) => {
    const cluster = new FakeCluster({ clock: new FakeClock() });
    const lock = new LeaseLock({
      client: cluster.client(),
      namespace: 'kube-system',
      name: 'test',
      identity: 'host_1',
      labels: { team: 'infra' },
      ...(recorder === undefined ? {} : { recorder }),
    });
    return { cluster, lock, lease: () => cluster.get<Lease>(resources.leases, KEY) };
  };
  const record = {
    holderIdentity: 'host_1',
    leaseDurationSeconds: 15,
    acquireTime: '2026-01-02T03:04:05.000006Z',
    renewTime: '2026-01-02T03:04:07.123456Z',
    leaderTransitions: 3,
  };

  it('is written as managers in Go write it', async () => {
    const { lock, lease } = leaseLock();
    await lock.create(record, options);
    expect(lease()?.spec).toEqual({
      holderIdentity: 'host_1',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-02T03:04:05.000006Z',
      renewTime: '2026-01-02T03:04:07.123456Z',
      leaseTransitions: 3,
    });
    expect(lease()?.metadata.labels).toEqual({ team: 'infra' });
  });

  it('keeps labels, annotations and fields it does not know', async () => {
    const { cluster, lock, lease } = leaseLock();
    cluster.create<Lease>(resources.leases, {
      metadata: { namespace: 'kube-system', name: 'test', labels: { a: 'b', team: 'old' }, annotations: { c: 'd' } },
      spec: { holderIdentity: 'other', leaseDurationSeconds: 30, ...({ later: 'field' } as object) },
    });
    expect(await lock.get(options)).toEqual({
      holderIdentity: 'other',
      leaseDurationSeconds: 30,
      acquireTime: '',
      renewTime: '',
      leaderTransitions: 0,
    });
    await lock.update(record, options);
    expect(lease()).toMatchObject({
      metadata: { labels: { a: 'b', team: 'infra' }, annotations: { c: 'd' } },
      spec: { holderIdentity: 'host_1', later: 'field' },
    });
  });

  it('tells of transitions in events about itself, once there is something to tell of', async () => {
    const recorder = new RecordedEvents();
    const { lock } = leaseLock(recorder);
    lock.recordEvent('became leader');
    await lock.create(record, options);
    lock.recordEvent('became leader');
    expect(recorder.lines).toEqual(['Normal LeaderElection host_1 became leader']);
  });

  it('goes over the lane that is kept for it', async () => {
    const { cluster, lock } = leaseLock();
    const client = cluster.client();
    const lanes: unknown[] = [];
    const spied = new LeaseLock({
      client: {
        ...client,
        resource: (type) => {
          const leases = client.resource(type);
          return {
            ...leases,
            get: (name, call) => (lanes.push(call?.lane), leases.get(name, call)),
            update: (object, call) => (lanes.push(call?.lane), leases.update(object, call)),
            create: (object, call) => (lanes.push(call?.lane), leases.create(object, call)),
          };
        },
      },
      namespace: 'kube-system',
      name: lock.describe().split('/')[1]!,
      identity: 'host_2',
    });
    await spied.get(options);
    await spied.create(record, options);
    await spied.update(record, options);
    expect(lanes).toEqual(['lease', 'lease', 'lease']);
  });

  it('takes no notice of an answer that comes after the call was given up', async () => {
    const { cluster, lock, lease } = leaseLock();
    await lock.create(record, options);
    let answer = (): void => {};
    const late = new Promise<void>((resolve) => (answer = resolve));
    const client = cluster.client();
    // A client that does not listen to signals.
    const deaf: Client = {
      ...client,
      resource: (type) => {
        const leases = client.resource(type);
        return {
          ...leases,
          get: async (name, call) => (await (call?.timeout === 1 ? late : undefined), await leases.get(name)),
        };
      },
    };
    const other = new LeaseLock({ client: deaf, namespace: 'kube-system', name: 'test', identity: 'host_2' });
    await other.get(options);
    const abort = new AbortController();
    const given = other.get({ signal: abort.signal, timeout: 1 });
    abort.abort(new Error('too late'));
    await lock.update({ ...record, leaderTransitions: 4 }, options);
    answer();
    await expect(given).rejects.toThrow('too late');
    await expect(other.update({ ...record, holderIdentity: 'host_2' }, options)).rejects.toMatchObject({
      code: 'Conflict',
    });
    expect(lease()?.spec?.holderIdentity).toBe('host_1');
  });
});
