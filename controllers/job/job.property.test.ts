import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type Job, type Pod, isPodActive, isPodTerminal, keyOf, resources } from '#pkg/api';
import { seededRandom } from '#pkg/base';
import { silentLogger } from '#pkg/log';
import { Metrics } from '#pkg/metrics';
import {
  type Fault,
  LaggingInformers,
  RecordedEvents,
  type World,
  createControllers,
  createWorld,
  newJob,
  runJobKubelet,
  settle,
} from '#pkg/testing';

import { isFinished, isTracked } from './facts.ts';
import { jobController } from './index.ts';
import { hasIndex, parseIntervals } from './intervals.ts';
import { indexOf } from './pod-index.ts';

const { jobs, pods } = resources;
const KEY = 'default/work';
const HOUR = 3_600_000;

const settings = fc.record({
  seed: fc.nat(),
  parallelism: fc.integer({ min: 1, max: 4 }),
  completions: fc.integer({ min: 0, max: 7 }),
  backoffLimit: fc.integer({ min: 0, max: 5 }),
  indexed: fc.boolean(),
  limitPerIndex: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
  onlyFailed: fc.boolean(),
  /** Whether the controller waits for its caches, or has expectations alone. */
  waits: fc.boolean(),
  /** How likely a Pod fails. */
  failing: fc.constantFrom(0, 0.3, 0.7),
  lag: fc.constantFrom(0, 300, 4000),
  latency: fc.constantFrom(0, 50, 500),
  faults: fc.constantFrom(0, 0.1, 0.4),
});
type Settings = typeof settings extends fc.Arbitrary<infer S> ? S : never;

const killing = fc.record({ do: fc.constant('kill' as const), of: fc.nat(20) });
const crashing = fc.record({ do: fc.constant('crash' as const) });
const changing = fc.oneof(
  fc.record({ do: fc.constant('suspend' as const), suspend: fc.boolean() }),
  fc.record({ do: fc.constant('scale' as const), parallelism: fc.integer({ min: 0, max: 5 }) }),
  fc.record({ do: fc.constant('delete' as const) }),
);
type Action =
  | { do: 'kill'; of: number }
  | { do: 'crash' }
  | { do: 'suspend'; suspend: boolean }
  | { do: 'scale'; parallelism: number }
  | { do: 'delete' };
const script = <A extends Action>(action: fc.Arbitrary<A>) =>
  fc.array(fc.record({ action, after: fc.nat(15_000) }), { maxLength: 8 });

/** A controller that may crash at any moment, with all that it remembers, and be followed by another. */
class Manager {
  readonly #world: World;
  readonly #lag: () => number;
  readonly #gates: Readonly<Record<string, boolean>>;
  #abort = new AbortController();
  #ended: Promise<unknown> = Promise.resolve();
  #informers: LaggingInformers | undefined;

  constructor(world: World, waits: boolean, lag: () => number) {
    this.#world = world;
    this.#gates = { StaleControllerConsistencyJob: waits };
    this.#lag = lag;
  }

  async start(): Promise<void> {
    const { cluster, clock, random } = this.#world;
    const informers = new LaggingInformers({ cluster, clock, lag: this.#lag });
    const shared = {
      informers,
      recorder: new RecordedEvents(),
      clock,
      random,
      log: silentLogger,
      metrics: new Metrics(),
    };
    const [controller] = createControllers({ controllers: [jobController], gates: this.#gates }, shared, () =>
      cluster.client(),
    );
    this.#abort = new AbortController();
    this.#informers = informers;
    informers.start(this.#abort.signal);
    this.#ended = controller!.run(this.#abort.signal);
    await settle();
  }

  async crash(): Promise<void> {
    this.#abort.abort(new DOMException('crashed', 'AbortError'));
    await settle();
    await this.#ended;
  }

  resync(): void {
    this.#informers!.resync();
  }
}

function specFor({
  parallelism,
  completions,
  backoffLimit,
  indexed,
  limitPerIndex,
  onlyFailed,
}: Settings): NonNullable<Job['spec']> {
  const perIndex = indexed && limitPerIndex !== undefined;
  return newJob({
    spec: {
      parallelism,
      completions,
      backoffLimit: perIndex ? 2 ** 31 - 1 : backoffLimit,
      completionMode: indexed ? 'Indexed' : 'NonIndexed',
      podReplacementPolicy: onlyFailed ? 'Failed' : 'TerminatingOrFailed',
      ...(perIndex ? { backoffLimitPerIndex: limitPerIndex } : {}),
    },
  }).spec!;
}

interface Run {
  readonly set: Settings;
  readonly steps: readonly { readonly action: Action; readonly after: number }[];
  readonly watch?: (world: World, problems: string[]) => void;
}

/** Runs a script, then an hour without disturbance; answers the world as it is then. */
async function run({ set, steps, watch }: Run): Promise<{ world: World; problems: string[]; lateWrites: unknown[] }> {
  const chance = seededRandom(set.seed);
  const world = createWorld({ controllers: [], seed: set.seed, latency: () => Math.floor(chance() * set.latency) });
  const { cluster, clock } = world;
  const endKubelet = runJobKubelet({
    cluster,
    clock,
    startAfter: () => chance() * 3000,
    terminationDelay: () => chance() * 6000,
    ends: () => ({ after: chance() * 8000, exitCode: chance() < set.failing ? 1 : 0 }),
  });
  const endCollection = collectGarbage(world);
  const problems: string[] = [];
  watch?.(world, problems);
  cluster.create(jobs, { ...newJob(), spec: specFor(set) });
  cluster.fault = (request): Fault => {
    if (chance() >= set.faults) return undefined;
    // A Pod that was created although the answer says no is one too many: what is done about it, is another test's business.
    return request.verb !== 'create' && chance() < 0.5 ? 'lose' : 'refuse';
  };
  const manager = new Manager(world, set.waits, () => Math.floor(chance() * set.lag));
  try {
    await manager.start();
    for (const { action, after } of steps) {
      await clock.step(after);
      if (action.do !== 'crash') act(world, action);
      else {
        await manager.crash();
        await clock.step(chance() * 5000);
        await manager.start();
      }
    }
    cluster.fault = () => undefined;
    act(world, { do: 'suspend', suspend: false });
    act(world, { do: 'scale', parallelism: Math.max(1, cluster.get(jobs, KEY)?.spec?.parallelism ?? 1) });
    await clock.step(2 * HOUR);
    const before = cluster.writes.length;
    manager.resync();
    await clock.step(HOUR);
    return { world, problems, lateWrites: cluster.writes.slice(before) };
  } finally {
    await manager.crash();
    await world.stop();
    endKubelet();
    endCollection();
  }
}

/** Pods whose Job is gone are deleted some time later. */
function collectGarbage({ cluster, clock }: World): () => void {
  const collect = (): void => {
    if (cluster.get(jobs, KEY)) return;
    for (const pod of cluster.list(pods))
      if (pod.metadata.deletionTimestamp === undefined) cluster.delete(pods, keyOf(pod));
  };
  return cluster.onChange(({ resource, type }) => {
    const orphaned = resource.kind === 'Job' ? type === 'DELETED' : type === 'ADDED' && !cluster.get(jobs, KEY);
    if (orphaned) clock.setTimeout(collect, 2000);
  });
}

function act({ cluster }: World, action: Exclude<Action, { do: 'crash' }>): void {
  if (!cluster.get(jobs, KEY)) return;
  if (action.do === 'kill') {
    const alive = cluster.list(pods).filter(isPodActive);
    if (alive.length > 0) cluster.delete(pods, keyOf(alive[action.of % alive.length]!));
  } else if (action.do === 'delete') cluster.delete(jobs, KEY);
  else
    cluster.change(jobs, KEY, (job) => ({
      ...job,
      spec: {
        ...job.spec!,
        ...('suspend' in action ? { suspend: action.suspend } : { parallelism: action.parallelism }),
      },
    }));
}

/** What must hold whenever anything changes. */
function watchSteps(world: World, problems: string[]): void {
  const { cluster, clock } = world;
  const tracked = new Map<string, Pod>();
  const say = (problem: string): void => void problems.push(`${problem} at ${clock.now()}`);
  cluster.onChange(({ resource, object, type }) => {
    const job = cluster.get(jobs, KEY);
    if (resource.kind === 'Pod') {
      const pod = object as Pod;
      const before = tracked.get(pod.metadata.uid);
      if (type !== 'DELETED' && isTracked(pod)) tracked.set(pod.metadata.uid, pod);
      else tracked.delete(pod.metadata.uid);
      if (before && !isTracked(pod) && isPodTerminal(pod) && job && !isNoted(pod, job))
        say(`${pod.metadata.name} was let go before it was noted`);
      if (type === 'ADDED') checkNumber(cluster.list(pods).filter(isPodActive), job!, say);
    } else if (job && isFinished(job)) {
      if (tracked.size > 0) say('finished with Pods that are not counted');
      if (cluster.list(pods).some((pod) => !isPodTerminal(pod))) say('finished with Pods at work');
    }
  });
}

function isNoted(pod: Pod, { status, spec }: Job): boolean {
  const { succeeded = [], failed = [] } = status?.uncountedTerminatedPods ?? {};
  const index = indexOf(pod);
  const completed =
    index !== undefined && hasIndex(parseIntervals(status?.completedIndexes, spec!.completions!), index);
  return completed || succeeded.includes(pod.metadata.uid) || failed.includes(pod.metadata.uid);
}

function checkNumber(active: readonly Pod[], { spec }: Job, say: (problem: string) => void): void {
  if (active.length > spec!.parallelism!) say(`${active.length} Pods at work`);
  const indexes = active.map(indexOf).filter((index) => index !== undefined);
  if (new Set(indexes).size !== indexes.length) say(`an index has two Pods: ${indexes.join(', ')}`);
}

const plain: Settings = {
  seed: 0,
  parallelism: 1,
  completions: 1,
  backoffLimit: 0,
  indexed: true,
  limitPerIndex: undefined,
  onlyFailed: false,
  waits: false,
  failing: 0,
  lag: 0,
  latency: 0,
  faults: 0,
};

describe('random worlds', () => {
  test('whatever is lost, refused and crashes, every Pod counts, and counts once', async () => {
    await fc.assert(
      fc.asyncProperty(settings, script(fc.oneof(killing, crashing)), async (random, steps) => {
        // With expectations alone a Job may be seen as it was before its last count, and get a Pod too many.
        const set = { ...random, waits: true };
        const created = new Set<string>();
        const lost = new Set<string>();
        const both = new Set<string>();
        const won = new Set<number | undefined>();
        const { world, problems, lateWrites } = await run({
          set,
          steps,
          watch(watched, found) {
            watchSteps(watched, found);
            watched.cluster.onChange(({ resource, object, type }) => {
              for (const uid of (object as Job).status?.uncountedTerminatedPods?.failed ?? []) lost.add(uid);
              if (resource.kind !== 'Pod') return;
              if (lost.has(object.metadata.uid) && (object as Pod).status?.phase === 'Succeeded')
                both.add(object.metadata.uid);
              if (type === 'ADDED') created.add(object.metadata.uid);
              if ((object as Pod).status?.phase === 'Succeeded') won.add(indexOf(object));
            });
          },
        });
        expect(problems).toEqual([]);
        expect(lateWrites).toEqual([]);
        const job = world.cluster.get(jobs, KEY)!;
        expect(isFinished(job)).toBe(true);
        const { succeeded = 0, failed = 0, completedIndexes } = job.status!;
        // Of an index only one Pod counts as its success, whoever else has it; and one that counts as failed since it was
        // deleted still completes its index when it then succeeds.
        expect(succeeded + failed).toBeGreaterThanOrEqual(
          set.indexed ? set.completions * Number(failed === 0) : created.size,
        );
        expect(succeeded + failed).toBeLessThanOrEqual(created.size + (set.indexed ? both.size : 0));
        const completed = Array.from({ length: set.completions }, (_, i) => i).filter((i) =>
          hasIndex(parseIntervals(completedIndexes, set.completions), i),
        );
        expect(completed.filter((index) => !won.has(index))).toEqual([]);
        expect(world.cluster.list(pods).filter(isTracked)).toEqual([]);
      }),
      {
        numRuns: 60,
        examples: [
          [
            { ...plain, seed: 2135290764, parallelism: 1, completions: 1, faults: 0.4 },
            [
              { action: { do: 'kill', of: 0 }, after: 7416 },
              { action: { do: 'kill', of: 0 }, after: 1000 },
            ],
          ],
        ],
      },
    );
  });

  test('whatever is asked for in between, it ends finished or gone, holds on to no Pod, and then writes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(settings, script(fc.oneof(killing, crashing, changing)), async (set, steps) => {
        const { world, lateWrites } = await run({ set, steps });
        const left = world.cluster.list(jobs);
        expect(left.every(isFinished)).toBe(true);
        expect(world.cluster.list(pods).filter(isTracked)).toEqual([]);
        expect(lateWrites).toEqual([]);
      }),
      {
        numRuns: 60,
        // Its Job has finished when the last Pod gets into the cache.
        examples: [[{ ...plain, seed: 646476231, parallelism: 2, completions: 5, lag: 4000, latency: 500 }, []]],
      },
    );
  });
});
