import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

import { Backoff, type Clock, type Random, describeError, sleep } from '#pkg/base';
import { type Client, createClient } from '#pkg/client';
import { createEventRecorder } from '#pkg/events';
import { HealthzAdaptor, LeaderElector, LeaseLock, type ResourceLock } from '#pkg/leaderelection';
import type { RootLogger } from '#pkg/log';

import { ManagerError } from '../errors.ts';
import { type Options, PROGRAM } from '../options/options.ts';
import { DebugPages } from '../serving/debug-pages.ts';
import { HealthMetrics } from '../serving/health-metrics.ts';
import { HealthChecks } from '../serving/health.ts';
import type { Parts } from './build-controllers.ts';
import { type Connection, connect } from './connection.ts';
import { type LateStart, lateStart } from './late-start.ts';
import { createMetrics, describeProcess } from './metrics.ts';
import type { ServeOptions } from './serve.ts';
import { userAgent } from './user-agent.ts';
import { WELL_KNOWN_LEASE } from './well-known-lease.ts';
import { flush, within } from './within.ts';

/** How long after its lease ran out the leader may still be unhealthy about it, ms. */
const HEALTH_TOLERANCE = 20_000;
/** Controllers may take this long to end when the lease is lost, ms: whatever they do, it is refused. */
const LOST_TIME = 1000;
export interface RunOptions {
  readonly options: Options;
  readonly log: RootLogger;
  readonly clock: Clock;
  readonly random: Random;
  /** Wall time of the process' start, ms. */
  readonly startTime: number;
  /** Instead of the way that the flags describe. */
  readonly connection?: Connection;
  /** Identity of this candidate; `<hostname>_<uuid>` where missing. */
  readonly identity?: string;
  /** Called when all code has been loaded that the manager needs in order to lead. */
  readonly onLoaded?: () => void;
}

/**
 * Runs the manager until the signal aborts: stand for election, serve, lead, and all back. Rejects with `LeaseLost` when
 * the lead was lost, and with whatever kept it from starting.
 *
 * The lease is asked for before anything that this does not need; it is not taken before the process serves.
 */
export async function runManager(run: RunOptions, signal: AbortSignal): Promise<void> {
  const { options, log, clock, random } = run;
  log.info('Starting', { version: options.reportedVersion });
  const metrics = await createMetrics(options);
  const healthMetrics = new HealthMetrics();
  const health = new HealthChecks({ metrics: healthMetrics, log });
  const connection = run.connection ?? (await connect({ options, clock, log, metrics }));
  const watchDog = new HealthzAdaptor(HEALTH_TOLERANCE);
  if (options.flags['leader-elect']) health.add(watchDog);
  const debugPages = new DebugPages();
  const parts: Parts = { options, connection, clock, random, log, metrics, debugPages };
  const failed = new AbortController();
  const ending = AbortSignal.any([signal, failed.signal]);
  const late = lateStart(
    clock,
    () => startRest(run, { metrics, health, healthMetrics, debugPages }),
    (error) => failed.abort(error),
  );
  try {
    if (options.flags['leader-elect'])
      await standForElection(
        { parts, health, watchDog, late, identity: run.identity ?? `${hostname()}_${randomUUID()}` },
        ending,
      );
    else await runAtOnce(parts, health, late, ending);
    failed.signal.throwIfAborted();
    log.info('Requested to terminate. Exiting.');
  } finally {
    await (await late.callOff())?.close();
    await connection.close();
  }
}

/**
 * Serves, and loads what a leader needs: a standby does so too, so that taking over takes no time and is not stopped by
 * files that were replaced meanwhile.
 */
async function startRest(
  run: RunOptions,
  served: Pick<ServeOptions, 'metrics' | 'health' | 'healthMetrics' | 'debugPages'>,
): Promise<{ close(): Promise<void> }> {
  const { options, onLoaded } = run;
  describeProcess(served.metrics, options);
  const { serve } = await import('./serve.ts');
  const server = await serve({ ...run, ...served });
  try {
    const { loadControllers } = await import('./lead-beside.ts');
    await loadControllers(options);
    onLoaded?.();
    const { processMetrics } = await import('./process-metrics.ts');
    const endMeasuring = processMetrics(served.metrics);
    return {
      async close() {
        endMeasuring();
        await server?.close();
      },
    };
  } catch (error) {
    await server?.close();
    throw error;
  }
}

/** `--leader-elect=false`: nobody else is meant to be there, so nothing keeps us from writing. */
async function runAtOnce(
  parts: Parts,
  health: HealthChecks,
  late: LateStart<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const client = clientNamed('wait-for-apiserver', parts);
  await waitForApiServer(client, parts, signal);
  if (signal.aborted) return;
  late.begin();
  if (!(await late.ready(signal))) return;
  const { lead } = await import('./lead.ts');
  await lead({ ...parts, health, fence: () => {}, owns: () => true }, signal);
}

interface Candidacy {
  readonly parts: Parts;
  readonly health: HealthChecks;
  readonly watchDog: HealthzAdaptor;
  readonly late: LateStart<unknown>;
  readonly identity: string;
}

/**
 * Stands for the main lease, and with a leader migration for a second one when the main one is held: of controllers that
 * move to another component. Losing either ends both (`app/controllermanager.go`).
 */
async function standForElection(candidacy: Candidacy, signal: AbortSignal): Promise<void> {
  const { options } = candidacy.parts;
  const { leaderMigration: migration, flags } = options;
  if (options.gates.enabled('CoordinatedLeaderElection')) {
    candidacy.parts.log.warning(
      'Coordinated leader election is not part of this version yet; candidates elect themselves',
    );
  }
  const components = new Map(migration.controllerLeaders?.map(({ name, component }) => [name, component]));
  const main: LeaseTerms = { name: flags['leader-elect-resource-name'], owns: (name) => !components.has(name) };
  if (!flags['enable-leader-migration']) return holdLease(candidacy, main, signal);
  const ours = (component: string | undefined): boolean => component === PROGRAM || component === '*';
  const migrated: LeaseTerms = {
    name: migration.leaderName,
    owns: (name) => components.has(name) && ours(components.get(name)),
  };
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const ending = async (held: Promise<void>): Promise<void> => {
    try {
      await held;
    } finally {
      stop.abort(new Error('the other lease has ended'));
    }
  };
  let second: Promise<void> = Promise.resolve();
  const onLeading = (): void => {
    second = ending(holdLease(candidacy, migrated, both));
    second.catch(() => {});
  };
  await ending(holdLease(candidacy, { ...main, onLeading }, both));
  await second;
}

interface LeaseTerms {
  readonly name: string;
  /** Which controllers run under it. */
  readonly owns: (name: string) => boolean;
  readonly onLeading?: () => void;
}

async function holdLease(
  { parts, health, watchDog, late, identity }: Candidacy,
  terms: LeaseTerms,
  signal: AbortSignal,
): Promise<void> {
  const { options, clock, random, log, metrics } = parts;
  const { flags } = options;
  let lost = false;
  let failed = false;
  let work: Promise<void> = Promise.resolve();
  // Its events tell of the end of leading too, so they go out when we are not leading; but not after the lease was lost.
  const eventFence = (): void => {
    if (lost) throw new ManagerError('LeaseLost', 'the lease was lost', {});
    if (elector.isLeader()) elector.fence();
  };
  const recorder = createEventRecorder({
    component: PROGRAM,
    client: clientNamed('leader-election', parts, eventFence),
    clock,
    random,
    log,
  });
  const lock = new LeaseLock({
    client: clientNamed('leader-election', parts),
    namespace: flags['leader-elect-resource-namespace'],
    name: terms.name,
    identity,
    recorder,
  });
  const elector = new LeaderElector({
    lock: takenAfter(late, lock),
    leaseDuration: flags['leader-elect-lease-duration'],
    renewDeadline: flags['leader-elect-renew-deadline'],
    retryPeriod: flags['leader-elect-retry-period'],
    // On unless switched off: a standby that waits for the lease to run out is of use to nobody.
    releaseOnCancel: options.gates.explicit('ControllerManagerReleaseLeaderElectionLockOnExit') ?? true,
    name: terms.name,
    callbacks: {
      onStartedLeading(leading) {
        leading.addEventListener('abort', () => (lost ||= !signal.aborted && !failed), { once: true });
        terms.onLeading?.();
        const leadership = { ...parts, health, fence: () => elector.fence(), owns: terms.owns };
        work = import('./lead-beside.ts').then(({ lead, leadBeside }) =>
          mayOverlap(options)
            ? leadBeside(clientNamed('leader-election', parts), leadership, leading)
            : lead(leadership, leading),
        );
        work.catch(() => (failed = true));
        return work;
      },
      onStoppedLeading: () => {},
      onNewLeader(leader) {
        if (leader !== identity) log.info('Another one leads', { leader, lease: terms.name });
      },
    },
    watchDog,
    clock,
    random,
    log: log.with({ logger: 'leaderelection' }),
    metrics,
  });
  watchDog.setLeaderElection(elector);
  try {
    await elector.run(signal);
  } finally {
    if (lost) {
      log.error('leaderelection lost', undefined, { lease: terms.name });
      // What is left of the work can write nothing any more; it gets a moment to end.
      await within(clock, LOST_TIME, () => work.catch(() => {}));
    } else {
      await flush(clock, [recorder]);
    }
  }
  if (lost) throw new ManagerError('LeaseLost', 'leaderelection lost', {});
}

/**
 * Whether another manager may be at work while this one leads: the main lease is not the one that a manager holds by
 * default. With a leader migration that is asked of the main lease only, for who holds the second one holds the main one.
 */
function mayOverlap({ flags }: Options): boolean {
  if (flags['run-beside-other-manager']) return false;
  return (
    flags['leader-elect-resource-namespace'] !== WELL_KNOWN_LEASE.namespace ||
    flags['leader-elect-resource-name'] !== WELL_KNOWN_LEASE.name
  );
}

/** The lock, to be taken only when what is started late has started, which the first answer begins. */
function takenAfter(late: LateStart<unknown>, lock: LeaseLock): ResourceLock {
  return {
    identity: lock.identity,
    describe: () => lock.describe(),
    async get(call) {
      const record = await lock.get(call).finally(() => late.begin());
      await late.ready(call.signal);
      return record;
    },
    create: (record, call) => lock.create(record, call),
    update: (record, call) => lock.update(record, call),
    recordEvent: (message) => lock.recordEvent(message),
    watch: (signal) => lock.watch(signal),
  };
}

function clientNamed(who: string, { options, connection, clock, log, metrics }: Parts, fence?: () => void): Client {
  const { flags, reportedVersion } = options;
  return createClient({
    transport: connection.own,
    userAgent: userAgent(reportedVersion, who),
    qps: flags['kube-api-qps'],
    burst: flags['kube-api-burst'],
    clock,
    log,
    logWarnings: false,
    metrics,
    ...(fence ? { fence } : {}),
  });
}

/** Comes back when the API server answers, whatever it answers: who may not ask for its health may still do the work. */
async function waitForApiServer(client: Client, { clock, random, log }: Parts, signal: AbortSignal): Promise<void> {
  const backoff = new Backoff({ initial: 500, max: 10_000, factor: 2, jitter: 0.2 }, random);
  while (!signal.aborted) {
    try {
      await client.request({ method: 'GET', path: '/healthz' }, { signal, timeout: 10_000 });
      return;
    } catch (error) {
      if (signal.aborted) return;
      log.error('Cannot get an answer from the API server, will retry', undefined, { err: describeError(error) });
      await sleep(clock, backoff.next(), signal).catch(() => {});
    }
  }
}
