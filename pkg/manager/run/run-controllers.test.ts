import { beforeEach, describe, expect, test } from 'vitest';

import { createLogger } from '#pkg/log';
import type { Controller } from '#pkg/controller';
import { Metrics } from '#pkg/metrics';
import { FakeClock } from '#pkg/testing';

import { type EndedControllers, runControllers } from './run-controllers.ts';

let clock: FakeClock;
let lines: string[];
let ended: EndedControllers;
let stop: AbortController;

beforeEach(() => {
  clock = new FakeClock();
  lines = [];
  ended = new Map();
  stop = new AbortController();
});

/** Ends when asked, so many ms later. */
function controller(name: string, slowness = 0): Controller {
  return {
    name,
    run: (signal) =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => (slowness > 0 ? clock.setTimeout(resolve, slowness) : resolve())),
      ),
    running: () => ['default/web'],
  };
}

function start(
  controllers: Controller[],
  more: { startInterval?: number; shutdownTimeout?: number } = {},
): { result: Promise<boolean>; metrics: Metrics } {
  const metrics = new Metrics();
  const running = metrics.gauge({
    name: 'running_managed_controllers',
    help: 'Running.',
    stability: 'BETA',
    labels: ['name', 'manager'],
  });
  const log = createLogger({
    verbosity: 1,
    format: 'json',
    output: { write: (line: string) => void lines.push(line) },
  });
  const options = {
    controllers,
    startInterval: 0,
    shutdownTimeout: 9000,
    clock,
    random: () => 0.5,
    log,
    running,
    manager: 'm',
    ...more,
  };
  return { result: runControllers(options, ended, stop.signal), metrics };
}

const messages = (): string[] => lines.map((line) => (JSON.parse(line) as { msg: string }).msg);

describe('controllers', () => {
  test('run until asked to end', async () => {
    const { result, metrics } = start([controller('a'), controller('b', 2000)]);
    await clock.step(1);
    expect(await metrics.expose()).toContain('running_managed_controllers{name="a",manager="m"} 1');
    stop.abort();
    await clock.step(2000);
    expect(await result).toBe(true);
    expect(messages().slice(-2)).toEqual(['Controller terminated', 'All controllers terminated']);
    expect(await metrics.expose()).toContain('running_managed_controllers{name="b",manager="m"} 0');
    expect(clock.pending).toBe(0);
  });

  test('that do not end in time are named, with what they are at', async () => {
    const { result } = start([controller('quick'), controller('slow', 60_000)]);
    await clock.step(1);
    stop.abort();
    await clock.step(9000);
    expect(await result).toBe(false);
    expect(messages().filter((message) => message.startsWith('Still waiting'))).toHaveLength(2);
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({
      msg: 'Controller shutdown timeout reached',
      runningControllers: ['slow'],
      busyWith: ['slow: default/web'],
    });
    await clock.step(60_000);
    expect(clock.pending).toBe(0);
  });

  test('may take as long as they like with no time limit', async () => {
    const { result } = start([controller('slow', 600_000)], { shutdownTimeout: 0 });
    await clock.step(1);
    stop.abort();
    await clock.step(600_000);
    expect(await result).toBe(true);
  });

  test('start spread over one to two times the interval', async () => {
    start([controller('a')], { startInterval: 1000 });
    await clock.step(1499);
    expect(messages()).toEqual([]);
    await clock.step(1);
    expect(messages()).toEqual(['Controller starting...']);
    stop.abort();
    await clock.step(1);
  });

  test('that end on their own are remembered, and do not take the others with them', async () => {
    const { result } = start([
      { name: 'bad', run: () => Promise.reject(new Error('boom')) },
      { name: 'idle', run: () => Promise.resolve() },
      controller('good'),
    ]);
    await clock.step(1);
    expect([...ended.keys()]).toEqual(['bad', 'idle']);
    expect(messages().filter((message) => message === 'Controller has ended')).toHaveLength(2);
    stop.abort();
    await clock.step(1);
    expect(await result).toBe(true);
  });

  test('none at all wait for the end as well', async () => {
    const { result } = start([]);
    await clock.step(1000);
    stop.abort();
    expect(await result).toBe(true);
  });
});
