import { createInformerFactory } from '#pkg/cache';
import { createClient } from '#pkg/client';
import type { Controller } from '#pkg/controller';

import { PROGRAM } from '../options/options.ts';
import type { HealthChecks } from '../serving/health.ts';
import { type Parts, buildControllers } from './build-controllers.ts';
import { type EndedControllers, runControllers } from './run-controllers.ts';
import { userAgent } from './user-agent.ts';
import { flush, within } from './within.ts';

export { loadControllers } from './build-controllers.ts';

/** Informers have nothing to save. */
const INFORMER_TIME = 500;

export interface LeadOptions extends Parts {
  readonly health: HealthChecks;
  /** Throws when this process must not write any more. */
  readonly fence: () => void;
  /** Which controllers are this lease's. */
  readonly owns: (name: string) => boolean;
}

/**
 * The guarded work: builds the controllers, then starts the informers they asked for, then the loops; and ends it all in
 * the opposite order when the signal aborts.
 */
export async function lead(options: LeadOptions, signal: AbortSignal): Promise<void> {
  const { connection, clock, random, log, metrics, health, debugPages } = options;
  const { flags, reportedVersion } = options.options;
  const limits = { qps: flags['kube-api-qps'], burst: flags['kube-api-burst'] };
  const client = createClient({
    ...limits,
    transport: connection.own,
    userAgent: userAgent(reportedVersion, 'shared-informers'),
    clock,
    log,
    logWarnings: false,
    metrics,
  });
  const informers = createInformerFactory({
    client,
    clock,
    random,
    log: log.with({ logger: 'informers' }),
    metrics,
    name: PROGRAM,
    defaultResync: flags['min-resync-period'],
  });
  const built = await buildControllers({ ...options, informers });
  const controllers = built.map(({ controller }) => controller);
  const ended: EndedControllers = new Map();
  health.add(
    ...controllers.map((controller) => ({ name: controller.name, check: () => checkController(controller, ended) })),
  );
  debugPages.show(controllers);
  informers.start(signal);
  const running = metrics.gauge({
    name: 'running_managed_controllers',
    help: 'Whether a controller runs, by name and manager.',
    stability: 'BETA',
    labels: ['name', 'manager'],
  });
  await runControllers(
    {
      controllers,
      startInterval: flags['controller-start-interval'],
      shutdownTimeout: flags['controller-shutdown-timeout'],
      clock,
      random,
      log,
      running,
      manager: PROGRAM,
    },
    ended,
    signal,
  );
  await within(clock, INFORMER_TIME, () => informers.shutdown());
  await flush(
    clock,
    built.map(({ recorder }) => recorder),
  );
}

async function checkController(controller: Controller, ended: EndedControllers): Promise<void> {
  if (ended.has(controller.name)) throw new Error('the controller has ended', { cause: ended.get(controller.name) });
  await controller.healthy?.();
}
