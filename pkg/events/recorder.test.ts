import { afterEach, describe, expect, it } from 'vitest';
import type { CoreEvent, Pod } from '#pkg/api';
import { resources } from '#pkg/api';
import { seededRandom } from '#pkg/base';
import { TransportError } from '#pkg/client';
import { silentLogger } from '#pkg/log';
import { FakeClock, settle } from '#pkg/testing';
import { EventStore, status } from './event-store.fixture.ts';
import { type RunningEventRecorder, createEventRecorder, referenceTo } from './index.ts';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web-0',
    namespace: 'shop',
    uid: 'p1',
    resourceVersion: '7',
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
} as Pod;

function world() {
  const clock = new FakeClock('2026-03-04T05:06:07.890Z');
  const store = new EventStore();
  const errors: string[] = [];
  const log = { ...silentLogger, error: (message: string) => void errors.push(message) };
  const recorder = createEventRecorder({
    client: store.client,
    clock,
    random: seededRandom(1),
    log,
    component: 'test-controller',
  });
  running.push(recorder);
  const verbs = (): string[] => store.writes.map((write) => write.verb);
  const stored = (): CoreEvent[] => [...store.events.values()];
  return { clock, store, recorder, errors, verbs, stored };
}

const running: RunningEventRecorder[] = [];
afterEach(async () => {
  for (const recorder of running.splice(0)) await recorder.stop(AbortSignal.abort());
});

describe('one event', () => {
  it('is written as client-go writes it', async () => {
    const { recorder, store } = world();
    recorder.event(pod, 'Normal', 'Started', 'Started container web');
    await settle();
    expect(store.writes).toHaveLength(1);
    const { metadata, ...rest } = store.writes[0]!.body;
    expect(metadata).toEqual({ name: expect.stringMatching(/^web-0\.[0-9a-f]{16}$/), namespace: 'shop' });
    expect(rest).toEqual({
      apiVersion: 'v1',
      kind: 'Event',
      involvedObject: {
        kind: 'Pod',
        namespace: 'shop',
        name: 'web-0',
        uid: 'p1',
        apiVersion: 'v1',
        resourceVersion: '7',
      },
      reason: 'Started',
      message: 'Started container web',
      source: { component: 'test-controller' },
      firstTimestamp: '2026-03-04T05:06:07Z',
      lastTimestamp: '2026-03-04T05:06:07Z',
      count: 1,
      type: 'Normal',
      reportingComponent: 'test-controller',
      reportingInstance: '',
    });
  });

  it('goes to namespace default for a cluster-scoped object', async () => {
    const { recorder, stored } = world();
    recorder.event({ kind: 'Node', apiVersion: 'v1', name: 'n1', uid: 'n1' }, 'Warning', 'Gone', 'gone');
    await settle();
    expect(stored()[0]!.metadata.namespace).toBe('default');
    expect(stored()[0]!.involvedObject).toEqual({ kind: 'Node', apiVersion: 'v1', name: 'n1', uid: 'n1' });
  });

  it('has a UUID for a name where the object has a name that an event may not have', async () => {
    const { recorder, stored } = world();
    recorder.event({ kind: 'ClusterRole', apiVersion: 'v1', name: 'system:node' }, 'Normal', 'R', 'm');
    await settle();
    expect(stored()[0]!.metadata.name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('is about an object that does not say its kind only with a reference', async () => {
    const { recorder, stored, errors } = world();
    const bare = { metadata: pod.metadata } as Pod;
    recorder.event(bare, 'Normal', 'R', 'lost');
    recorder.event(referenceTo(resources.pods, bare, 'spec.containers{web}'), 'Normal', 'R', 'kept');
    await settle();
    expect(stored().map((event) => [event.message, event.involvedObject.fieldPath])).toEqual([
      ['kept', 'spec.containers{web}'],
    ]);
    expect(errors).toEqual(['Could not construct reference, will not report event']);
  });

  it('gets its own name also when many come within a millisecond', async () => {
    const { recorder, stored } = world();
    for (let i = 0; i < 9; i++) recorder.event(pod, 'Normal', `R${i}`, 'm');
    await settle();
    expect(stored()).toHaveLength(9);
  });
});

describe('repetition', () => {
  it('counts up; a burst costs one create and one patch with the last count', async () => {
    const { recorder, clock, store, stored, verbs } = world();
    for (let i = 0; i < 20; i++) recorder.event(pod, 'Warning', 'BackOff', 'back-off');
    await settle();
    expect(verbs()).toEqual(['create']);
    await clock.step(1000);
    expect(store.writes[1]).toMatchObject({ verb: 'patch', body: { count: 20, message: 'back-off' } });
    expect(Object.keys(store.writes[1]!.body).toSorted()).toEqual(['count', 'lastTimestamp', 'message']);
    await clock.step(10_000);
    expect(verbs()).toEqual(['create', 'patch']);
    expect(stored()).toMatchObject([{ count: 20, firstTimestamp: '2026-03-04T05:06:07Z' }]);
    expect(clock.pending).toBe(0);
  });

  it('is written at once when the last one is a while ago', async () => {
    const { recorder, clock, stored } = world();
    recorder.event(pod, 'Warning', 'BackOff', 'back-off');
    await clock.step(5000);
    recorder.event(pod, 'Warning', 'BackOff', 'back-off');
    await settle();
    expect(stored()).toMatchObject([{ count: 2, lastTimestamp: '2026-03-04T05:06:12Z' }]);
  });

  it('starts again with its count when the event has expired', async () => {
    const { recorder, clock, store, stored, verbs } = world();
    recorder.event(pod, 'Warning', 'BackOff', 'back-off');
    await clock.step(5000);
    const [name] = store.events.keys();
    store.events.clear();
    recorder.event(pod, 'Warning', 'BackOff', 'back-off');
    await settle();
    expect(verbs()).toEqual(['create', 'patch', 'create']);
    expect([...store.events.keys()]).toEqual([name]);
    expect(stored()).toMatchObject([{ count: 2 }]);
  });
});

describe('limits', () => {
  it('combines events that differ in their message only, from the tenth on', async () => {
    const { recorder, clock, stored } = world();
    for (let i = 1; i <= 15; i++) {
      recorder.event(pod, 'Warning', 'FailedCreate', `message ${i}`);
      await clock.step(2000);
    }
    expect(stored().map((event) => `${event.count} ${event.message}`)).toEqual([
      ...Array.from({ length: 9 }, (_, i) => `1 message ${i + 1}`),
      '6 (combined from similar events): message 15',
    ]);
    expect(stored().at(-1)).toMatchObject({ reportingComponent: '', source: { component: 'test-controller' } });
  });

  it('starts a new group after ten quiet minutes', async () => {
    const { recorder, clock, stored } = world();
    for (let i = 1; i <= 9; i++) recorder.event(pod, 'Warning', 'FailedCreate', `message ${i}`);
    await clock.step(600_001);
    recorder.event(pod, 'Warning', 'FailedCreate', 'message 10');
    await settle();
    expect(stored().at(-1)!.message).toBe('message 10');
  });

  it('lets 25 events about an object through, then one in five minutes, and counts those between', async () => {
    const { recorder, clock, stored, store } = world();
    for (let i = 0; i < 40; i++) recorder.event(pod, 'Warning', 'BackOff', 'same');
    await clock.step(2000);
    // The 25th that was let through carries the last count written; the others are known but unsent.
    expect(stored()).toMatchObject([{ count: 25 }]);
    const before = store.writes.length;
    recorder.event(pod, 'Warning', 'BackOff', 'same');
    await clock.step(2000);
    expect(store.writes).toHaveLength(before);
    await clock.step(300_000);
    recorder.event(pod, 'Warning', 'BackOff', 'same');
    await clock.step(2000);
    expect(stored()).toMatchObject([{ count: 27 }]);
    recorder.event({ ...pod, metadata: { ...pod.metadata, uid: 'other' } }, 'Warning', 'BackOff', 'same');
    await settle();
    expect(stored()).toHaveLength(2);
  });

  describe('while more wait than can be written soon', () => {
    const other = (i: number) => ({ kind: 'Pod', apiVersion: 'v1', namespace: 'shop', name: `p${i}` });

    /** Records what `about` does behind 60 events of others, and answers what is then stored of reason R. */
    async function behindOthers(about: (recorder: RunningEventRecorder) => void) {
      const all = world();
      let open = (): void => {};
      all.store.gate = new Promise((resolve) => (open = resolve));
      for (let i = 0; i < 60; i++) all.recorder.event(other(i), 'Normal', 'Other', 'm');
      about(all.recorder);
      open();
      await all.recorder.flush();
      return {
        ...all,
        told: () =>
          all
            .stored()
            .filter(({ reason }) => reason === 'R')
            .map(({ count, message }) => `${count} ${message}`),
      };
    }

    it('those that resemble each other are written as one with their count', async () => {
      const { told, verbs, recorder, clock } = await behindOthers((all) => {
        for (let i = 1; i <= 5; i++) all.event(pod, 'Normal', 'R', `message ${i}`);
        all.event(pod, 'Warning', 'R', 'another type');
      });
      expect(told()).toEqual(['5 (combined from similar events): message 5', '1 another type']);
      expect(verbs()).toHaveLength(62);
      // Later ones stand alone until there are ten, as ever, and then go on with the same event.
      for (let i = 6; i <= 11; i++) {
        recorder.event(pod, 'Normal', 'R', `message ${i}`);
        await clock.step(2000);
      }
      expect(told()).toEqual([
        '7 (combined from similar events): message 11',
        '1 another type',
        ...[6, 7, 8, 9].map((i) => `1 message ${i}`),
      ]);
    });

    it('repetitions stay what they are', async () => {
      const { told, stored } = await behindOthers((all) => {
        for (let i = 0; i < 20; i++) all.event(pod, 'Normal', 'R', 'same');
      });
      expect(told()).toEqual(['20 same']);
      expect(stored().at(-1)).toMatchObject({
        firstTimestamp: '2026-03-04T05:06:07Z',
        lastTimestamp: '2026-03-04T05:06:07Z',
      });
    });

    it('each counts against the limit of its object', async () => {
      const { told, recorder, clock } = await behindOthers((all) => {
        for (let i = 0; i < 40; i++) all.event(pod, 'Normal', 'R', `message ${i}`);
      });
      recorder.event(pod, 'Normal', 'R', 'one more');
      await clock.step(2000);
      expect(told()).toEqual(['40 (combined from similar events): message 39']);
    });
  });

  it('drops what does not fit its queue, and nothing before', async () => {
    const { recorder, store, errors, stored } = world();
    let open = (): void => {};
    store.gate = new Promise((resolve) => (open = resolve));
    // The first is under way when the others come.
    const about = (i: number) => ({ kind: 'Pod', apiVersion: 'v1', namespace: 'shop', name: `p${i}` });
    recorder.event(about(0), 'Normal', 'R', 'm');
    await settle();
    for (let i = 1; i <= 1100; i++) recorder.event(about(i), 'Normal', 'R', 'm');
    open();
    await recorder.flush();
    expect(stored()).toHaveLength(1001);
    expect(errors).toEqual(['Unable to record event: too many queued events, dropped event']);
  });
});

describe('failure', () => {
  const unreachable = new TransportError('refused', 'cannot connect');

  it('is tried again, first soon and then every ten seconds, twelve times in all', async () => {
    const { recorder, clock, store, verbs, errors } = world();
    const triesOf = (message: string): number => store.writes.filter((write) => write.body.message === message).length;
    store.refuse = () => unreachable;
    recorder.event(pod, 'Normal', 'R', 'lost');
    recorder.event(pod, 'Normal', 'R2', 'kept');
    await clock.step(10_000 + 9 * 10_000);
    expect(verbs().length).toBeGreaterThanOrEqual(10);
    expect(verbs().length).toBeLessThanOrEqual(11);
    await clock.step(10_000);
    store.refuse = () => undefined;
    await clock.step(20_000);
    expect(errors).toContain('Unable to write event (retry limit exceeded!)');
    expect([...store.events.values()].map((event) => event.message)).toEqual(['kept']);
    expect(triesOf('lost')).toBe(12);
  });

  const refusals = [
    { name: 'already there', error: status(409, 'AlreadyExists'), errors: 0 },
    { name: 'namespace going away', error: status(403, 'Forbidden', 'NamespaceTerminating'), errors: 0 },
    { name: 'forbidden', error: status(403, 'Forbidden'), errors: 1 },
    { name: 'server error', error: status(500, 'InternalError'), errors: 1 },
    { name: 'fenced off', error: new Error('not leading'), errors: 1 },
  ];
  it.each(refusals)('is final when the write is refused: $name', async ({ error, errors: expected }) => {
    const { recorder, clock, store, verbs, errors } = world();
    store.refuse = () => error;
    recorder.event(pod, 'Normal', 'R', 'm');
    await clock.step(60_000);
    expect(verbs()).toEqual(['create']);
    expect(errors).toHaveLength(expected);
  });
});

describe('stop', () => {
  it('sends everything that waits, also counts held back, without waiting for their time', async () => {
    const { recorder, clock, stored, verbs } = world();
    recorder.event(pod, 'Normal', 'A', 'm');
    await settle();
    recorder.event(pod, 'Normal', 'A', 'm');
    await settle();
    recorder.event(pod, 'Normal', 'B', 'm');
    recorder.event(pod, 'Normal', 'A', 'm');
    await recorder.stop();
    expect(stored()).toMatchObject([
      { reason: 'A', count: 3 },
      { reason: 'B', count: 1 },
    ]);
    expect(verbs()).toEqual(['create', 'create', 'patch']);
    expect(clock.pending).toBe(0);
  });

  it('gives the event that waits for its next try one last try', async () => {
    const { recorder, clock, store, verbs } = world();
    store.refuse = () => new TransportError('refused', 'cannot connect');
    recorder.event(pod, 'Normal', 'A', 'm');
    await clock.step(0);
    await recorder.stop();
    expect(verbs()).toEqual(['create', 'create']);
    expect(clock.pending).toBe(0);
    recorder.event(pod, 'Normal', 'A', 'm');
    await clock.step(60_000);
    expect(verbs()).toHaveLength(2);
  });

  it('ends with its signal when nobody answers', async () => {
    const { recorder, clock, store } = world();
    store.gate = new Promise(() => {});
    recorder.event(pod, 'Normal', 'A', 'm');
    recorder.event(pod, 'Normal', 'B', 'm');
    await settle();
    const deadline = new AbortController();
    const stopped = recorder.stop(deadline.signal);
    await settle();
    deadline.abort(new Error('time is up'));
    await stopped;
    expect(store.writes).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
