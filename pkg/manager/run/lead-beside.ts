import type { Client } from '#pkg/client';

import { ManagerError } from '../errors.ts';
import type { Options } from '../options/options.ts';
import type { RegistryEntry } from '../registry/registry.ts';
import { judge } from '../registry/selection.ts';
import { type LeadOptions, lead } from './lead.ts';
import { OtherManager } from './other-manager.ts';
import { WELL_KNOWN_LEASE } from './well-known-lease.ts';

export { lead, loadControllers } from './lead.ts';

/**
 * Whether a manager that was given no `--controllers` runs this controller. Gates are those of this process: nobody can
 * see the other's.
 */
export function runsByDefault(entry: RegistryEntry, gateEnabled: (gate: string) => boolean): boolean {
  return judge(entry, ['*'], gateEnabled) === 'run';
}

/** The controllers that are to run here and that a manager with the well-known lease runs by default, by name. */
export function overlapping({ registry, controllers, gates }: Options): readonly string[] {
  const enabled = (gate: string): boolean => gates.enabled(gate);
  return registry.entries
    .filter((entry) => judge(entry, controllers, enabled) === 'run' && runsByDefault(entry, enabled))
    .map(({ name }) => name)
    .toSorted();
}

/**
 * Leads as {@link lead} does, for a manager whose lease is not the one that every manager holds by default: what the holder of that
 * one runs as well is not begun before that lease is free. Where it is taken later on, this process ends with
 * `OtherManager`, and holds those controllers back when it is started again.
 */
export async function leadBeside(client: Client, options: LeadOptions, signal: AbortSignal): Promise<void> {
  const shared = overlapping(options.options).filter((name) => options.owns(name));
  const failed = new AbortController();
  const ending = AbortSignal.any([signal, failed.signal]);
  const outcomes = await Promise.allSettled(
    [
      lead({ ...options, owns: (name) => options.owns(name) && !shared.includes(name) }, ending),
      leadAlone(client, options, shared, ending),
    ].map((part) =>
      part.catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    ),
  );
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure && !signal.aborted) throw failure.reason;
}

/** Runs `controllers` while nobody else is at work. */
async function leadAlone(
  client: Client,
  options: LeadOptions,
  controllers: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { clock, log } = options;
  const other = new OtherManager({
    client,
    clock,
    log,
    period: options.options.flags['leader-elect-retry-period'],
    onLive: (holder) => log.error(MESSAGE, undefined, remedies(holder, controllers)),
  });
  await other.gone(signal);
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const work = lead({ ...options, owns: (name) => controllers.includes(name) }, either);
  const ended = work.then(
    () => undefined,
    () => undefined,
  );
  const holder = await Promise.race([other.appears(either), ended]).catch(() => undefined);
  stop.abort(new Error('another manager has begun'));
  await work;
  if (holder !== undefined) throw new ManagerError('OtherManager', MESSAGE, { holder });
}

const MESSAGE = 'Another kube-controller-manager is at work; controllers that it may run too do not run here.';

function remedies(holder: string, controllers: readonly string[]): Record<string, unknown> {
  return {
    holder,
    lease: `${WELL_KNOWN_LEASE.namespace}/${WELL_KNOWN_LEASE.name}`,
    controllers,
    remedy:
      `start the other manager with --controllers=*,${controllers.map((name) => `-${name}`).join(',')}, ` +
      'then this one with --run-beside-other-manager',
  };
}
