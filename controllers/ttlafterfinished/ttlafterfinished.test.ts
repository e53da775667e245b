import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';

import { type Job, resources } from '#pkg/api';
import { formatTime, seededRandom } from '#pkg/base';
import { type Fault, type ServerWorld, type World, at, createServerWorld, createWorld, job } from '#pkg/testing';

import { expiresAt, needsCleanup } from './expiry.ts';
import { ttlAfterFinishedController } from './index.ts';

const { jobs, pods } = resources;

function finished(type: 'Complete' | 'Failed', lastTransitionTime = at(100), ttlSecondsAfterFinished = 10): Job {
  const conditions = [
    { type: 'SuccessCriteriaMet', status: 'True' },
    { type, status: 'True', lastTransitionTime },
  ];
  return job({ spec: { ttlSecondsAfterFinished }, status: { conditions } });
}

describe('when a Job expires', () => {
  const going = { ...finished('Complete'), metadata: { ...finished('Complete').metadata, deletionTimestamp: at(101) } };
  const running = job({
    spec: { ttlSecondsAfterFinished: 10 },
    status: { conditions: [{ type: 'Complete', status: 'False', lastTransitionTime: at(1) }] },
  });
  test.each([
    ['complete', finished('Complete'), at(110)],
    ['failed', finished('Failed'), at(110)],
    ['at once', finished('Complete', at(100), 0), at(100)],
    ['running', running, undefined],
    ['being deleted', going, undefined],
    [
      'without a time to live',
      job({ status: { conditions: [{ type: 'Complete', status: 'True', lastTransitionTime: at(100) }] } }),
      undefined,
    ],
  ])('%s', (_title, of, expected) => {
    const expires = expiresAt(of);
    expect(expires === undefined ? undefined : formatTime(expires)).toBe(expected);
    expect(needsCleanup(of)).toBe(expected !== undefined);
  });

  test('without saying when it finished it is an error', () => {
    expect(() => expiresAt(finished('Complete', ''))).toThrow('unable to find the time when the Job default/');
  });
});

describe('on a server', () => {
  let world: ServerWorld;
  afterEach(() => world.stop());

  async function start(ttlSecondsAfterFinished: number): Promise<void> {
    world = createServerWorld({ controllers: [ttlAfterFinishedController] });
    await world.start();
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'app:v1' }] } };
    await world.create(jobs, {
      metadata: { name: 'once', finalizers: ['example.com/hold'] },
      spec: { ttlSecondsAfterFinished, template },
    });
  }

  async function finish(): Promise<void> {
    const live = await world.get(jobs, 'once');
    const [startTime, completionTime] = [live.metadata.creationTimestamp, formatTime(world.clock.now())];
    const time = { lastProbeTime: completionTime, lastTransitionTime: completionTime };
    const conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True', ...time }));
    await world.client
      .resource(jobs)
      .updateStatus({ ...live, status: { startTime, completionTime, succeeded: 1, conditions } });
  }

  test('it is deleted in the foreground when its time is over, with one request', async () => {
    await start(30);
    await world.clock.step(60_000);
    await finish();
    await world.clock.step(29_000);
    expect(world.takeRequests()).toEqual([]);
    await world.clock.step(2000);
    expect(world.takeRequests()).toEqual(['delete jobs']);
    expect((await world.get(jobs, 'once')).metadata).toMatchObject({
      deletionTimestamp: expect.any(String) as string,
      finalizers: ['example.com/hold', 'foregroundDeletion'],
    });
    expect(await world.metrics.expose()).toContain(
      'ttl_after_finished_controller_job_deletion_duration_seconds_count 1',
    );
    await world.clock.step(600_000);
    expect(world.takeRequests()).toEqual([]);
    expect(await world.list(pods)).toEqual([]);
  });

  test('one that is given more time lives longer', async () => {
    await start(30);
    await finish();
    await world.clock.step(20_000);
    await world.patch(jobs, 'once', { spec: { ttlSecondsAfterFinished: 120 } });
    await world.clock.step(60_000);
    expect(world.takeRequests()).toEqual([]);
    await world.clock.step(50_000);
    expect(world.takeRequests()).toEqual(['delete jobs']);
  });
});

const script = fc.array(
  fc.record({
    do: fc.constantFrom(
      'finish' as const,
      'finish' as const,
      'ttl' as const,
      'recreate' as const,
      'touch' as const,
      'cut' as const,
    ),
    of: fc.nat(3),
    ttl: fc.option(fc.nat(30), { nil: undefined }),
    after: fc.nat(20_000),
  }),
  { maxLength: 20 },
);

describe('random worlds', () => {
  const settings = fc.record({
    seed: fc.nat(),
    realInformers: fc.boolean(),
    lag: fc.nat(4000),
    latency: fc.nat(300),
    faults: fc.constantFrom(0, 0.3),
  });

  test('a Job goes when its time is over as it is then, none goes before, and then nothing is asked for', async () => {
    await fc.assert(
      fc.asyncProperty(settings, script, async (set, steps) => {
        const chance = seededRandom(set.seed);
        const early: string[] = [];
        const world = createWorld({
          controllers: [ttlAfterFinishedController],
          seed: set.seed,
          realInformers: set.realInformers,
          lag: () => Math.floor(chance() * set.lag),
          latency: () => Math.floor(chance() * set.latency),
        });
        world.cluster.fault = (): Fault => (chance() < set.faults ? (chance() < 0.5 ? 'lose' : 'refuse') : undefined);
        const end = watchDeletions(world, early);
        for (let i = 0; i < 4; i++)
          world.cluster.create(jobs, job({ name: `job-${i}`, spec: { ttlSecondsAfterFinished: 10 } }));
        await world.start();
        try {
          for (const step of steps) {
            await world.clock.step(step.after);
            act(world, step);
          }
          world.cluster.fault = () => undefined;
          await world.clock.step(1_300_000);
          const left = world.cluster.list(jobs).filter((one) => needsCleanup(one));
          expect({ early, left }).toEqual({ early: [], left: [] });
          world.cluster.writes.length = 0;
          for (const one of world.cluster.list(jobs))
            act(world, { do: 'touch', of: Number(one.metadata.name.slice(4)), ttl: undefined });
          await world.clock.step(600_000);
          expect(world.cluster.writes).toEqual([]);
        } finally {
          end();
          await world.stop();
        }
      }),
      { numRuns: 60 },
    );
  });

  /** What is deleted while the test itself does not delete must have been due, as the server has it. */
  function watchDeletions({ cluster, clock }: World, early: string[]): () => void {
    return cluster.onChange(({ type, resource, object }) => {
      if (type !== 'DELETED' || resource.kind !== 'Job' || object.metadata.annotations?.['test'] === 'deletes') return;
      const due = expiresAt(object);
      if (due === undefined || due > clock.now()) early.push(object.metadata.name);
    });
  }

  function act({ cluster, clock }: World, step: { do: string; of: number; ttl: number | undefined }): void {
    const name = `job-${step.of}`;
    const key = `default/${name}`;
    if (step.do === 'cut') return cluster.cutWatches();
    const live = cluster.get(jobs, key);
    if (step.do === 'recreate' || !live) {
      if (live)
        cluster.change(jobs, key, (old) => ({
          ...old,
          metadata: { ...old.metadata, annotations: { test: 'deletes' } },
        }));
      if (live) cluster.finish(jobs, key);
      return void cluster.create(jobs, job({ name, spec: { ttlSecondsAfterFinished: step.ttl ?? 5 } }));
    }
    const lastTransitionTime = formatTime(clock.now());
    cluster.change(jobs, key, (old) => {
      if (step.do === 'finish')
        return {
          ...old,
          status: { ...old.status, conditions: [{ type: 'Complete', status: 'True', lastTransitionTime }] },
        };
      if (step.do === 'ttl')
        return {
          ...old,
          spec: { ...old.spec!, ...(step.ttl === undefined ? {} : { ttlSecondsAfterFinished: step.ttl }) },
        };
      return { ...old, metadata: { ...old.metadata, annotations: { touched: cluster.resourceVersion } } };
    });
  }
});
