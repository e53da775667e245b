import { type Clock, type Random, type Timer, isAbort, jitter, sleep } from '#pkg/base';
import type { Controller } from '#pkg/controller';
import type { Logger } from '#pkg/log';
import type { Gauge } from '#pkg/metrics';

export interface RunControllersOptions {
  readonly controllers: readonly Controller[];
  /** `--controller-start-interval`: each starts after one to two times this, ms. */
  readonly startInterval: number;
  /** `--controller-shutdown-timeout`: how long they may take to end, ms; 0 for any time. */
  readonly shutdownTimeout: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** `running_managed_controllers` of this manager. */
  readonly running: Gauge<'name' | 'manager'>;
  readonly manager: string;
}

/** Between two lines about who is still running, ms, where there is no time limit. */
const REPORT_PERIOD = 5000;

/** Why a controller does not run any more though it was not asked to end; kept for its health check. */
export type EndedControllers = Map<string, unknown>;

/**
 * Runs controllers side by side until the signal aborts and all have ended: true; or until they have had their time:
 * false, when those still running have been named (`RunControllers` in `app/controllermanager.go`).
 */
export async function runControllers(
  options: RunControllersOptions,
  ended: EndedControllers,
  signal: AbortSignal,
): Promise<boolean> {
  const { controllers, log, clock, shutdownTimeout } = options;
  const running = new Map<string, Controller>();
  const all = Promise.all(controllers.map((controller) => runOne(controller, options, running, ended, signal)));
  await aborted(signal);
  const names = (): string[] => [...running.keys()].toSorted();
  const stopReports = every(clock, shutdownTimeout / 3 || REPORT_PERIOD, () => {
    log.info('Still waiting for some controllers to terminate...', {
      runningControllers: names(),
      busyWith: busyWith(running),
    });
  });
  const deadline = new AbortController();
  const timeUp =
    shutdownTimeout > 0
      ? sleep(clock, shutdownTimeout, deadline.signal).then(
          () => false,
          () => true,
        )
      : new Promise<boolean>(() => {});
  try {
    const inTime = await Promise.race([all.then(() => true), timeUp]);
    if (inTime) log.info('All controllers terminated');
    else
      log.error('Controller shutdown timeout reached', undefined, {
        timeoutMs: shutdownTimeout,
        runningControllers: names(),
        busyWith: busyWith(running),
      });
    return inTime;
  } finally {
    deadline.abort();
    stopReports();
  }
}

async function runOne(
  controller: Controller,
  { startInterval, clock, random, log, running: gauge, manager }: RunControllersOptions,
  running: Map<string, Controller>,
  ended: EndedControllers,
  signal: AbortSignal,
): Promise<void> {
  const { name } = controller;
  try {
    if (startInterval > 0) await sleep(clock, jitter(random, startInterval, 1), signal);
    signal.throwIfAborted();
    log.v(1)?.info('Controller starting...', { controller: name });
    running.set(name, controller);
    gauge.set({ name, manager }, 1);
    await controller.run(signal);
    if (!signal.aborted) throw new Error('it ended without having been asked to');
  } catch (error) {
    if (!signal.aborted) {
      log.error('Controller has ended', error, { controller: name });
      ended.set(name, error);
    } else if (!isAbort(error, signal)) {
      log.error('Controller ended badly', error, { controller: name });
    }
  } finally {
    if (running.delete(name)) {
      gauge.set({ name, manager }, 0);
      log.v(1)?.info('Controller terminated', { controller: name });
    }
  }
}

/** What the slow ones are at, where they say. */
function busyWith(running: ReadonlyMap<string, Controller>): string[] {
  return [...running.values()].flatMap(
    (controller) => controller.running?.().map((key) => `${controller.name}: ${key}`) ?? [],
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function every(clock: Clock, milliseconds: number, task: () => void): () => void {
  let timer: Timer;
  const arm = (): void => {
    timer = clock.setTimeout(() => {
      task();
      arm();
    }, milliseconds);
  };
  arm();
  return () => timer.cancel();
}
