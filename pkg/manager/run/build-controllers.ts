import type { Clock, Random } from '#pkg/base';
import type { InformerFactory } from '#pkg/cache';
import { type Client, KnownVersions, createClient } from '#pkg/client';
import {
  type Controller,
  type ControllerDefinition,
  type ControllerDescription,
  identityOf,
  loadController,
  projectedInformers,
} from '#pkg/controller';
import { type RunningEventRecorder, createEventRecorder } from '#pkg/events';
import type { Logger } from '#pkg/log';
import type { Metrics } from '#pkg/metrics';

import { type Options, controllerOptions } from '../options/options.ts';
import type { RegistryEntry } from '../registry/registry.ts';
import { type Verdict, judge } from '../registry/selection.ts';
import type { DebugPages } from '../serving/debug-pages.ts';
import type { Connection } from './connection.ts';
import { TokenSource, withTokens } from './service-account-tokens.ts';
import { userAgent } from './user-agent.ts';

export interface Parts {
  readonly options: Options;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** What controllers show of themselves. */
  readonly debugPages: DebugPages;
}

export interface BuildOptions extends Parts {
  readonly informers: InformerFactory;
  /** Throws when this process must not write any more. */
  readonly fence: () => void;
  /** Which controllers are this lease's. */
  readonly owns: (name: string) => boolean;
}

interface BuildOne extends BuildOptions {
  /** What any of the controllers has written. */
  readonly versions: KnownVersions;
}

/** A controller with what must be ended after it. */
export interface BuiltController {
  readonly controller: Controller;
  readonly recorder: RunningEventRecorder;
}

/** Loads the code of every controller that may have to run, so that whoever wins the lease need not. */
export async function loadControllers(options: Options): Promise<void> {
  const wanted = options.registry.entries.filter((entry) => verdictOn(entry, options) === 'run');
  await Promise.all(wanted.flatMap(({ definition }) => (definition ? [loadController(definition)] : [])));
}

function verdictOn(entry: RegistryEntry, { controllers, gates }: Options): Verdict {
  return judge(entry, controllers, (gate) => gates.enabled(gate));
}

/** Builds every controller that is to run, and says of each other one why it does not. */
export async function buildControllers(build: BuildOptions): Promise<BuiltController[]> {
  const { options, log } = build;
  const chosen = options.registry.entries
    .filter(({ name }) => build.owns(name))
    .flatMap((entry) => {
      const verdict = verdictOn(entry, options);
      if (verdict === 'run' && entry.definition) return [entry.definition];
      report(entry, verdict, log);
      return [];
    });
  const definitions = await Promise.all(chosen.map(loadController));
  // What the caches keep is settled by all that run together, so they are known before the first is built.
  const informers = projectedInformers(build.informers, definitions);
  const versions = new KnownVersions(build.clock);
  return definitions.flatMap((definition) => buildOne(definition, { ...build, informers, versions }));
}

function report(entry: RegistryEntry, verdict: Verdict, log: Logger): void {
  const controller = entry.name;
  switch (verdict) {
    case 'disabled':
      log.warning(`"${controller}" is disabled`);
      break;
    case 'gated':
      log.info('Controller is disabled by a feature gate', { controller, requiredFeatureGates: entry.gates });
      break;
    case 'cloud-provider':
      log.info('Skipping a cloud provider controller', { controller });
      break;
    case 'run':
    case 'not-available':
      log.warning('Controller is not part of this version yet', { controller });
      break;
  }
}

function buildOne(definition: ControllerDefinition, build: BuildOne): BuiltController[] {
  const { options, clock, random, metrics, informers } = build;
  const log = build.log.with({ logger: definition.name });
  const client = build.versions.guard(controllerClient(definition, { ...build, log }));
  const recorder = createEventRecorder({ component: identityOf(definition).eventSource, client, clock, random, log });
  const controller = definition.create({
    name: definition.name,
    client,
    informers,
    recorder,
    clock,
    random,
    log,
    metrics,
    featureGates: options.gates,
    options: controllerOptions(options, definition),
  });
  if (controller) return [{ controller, recorder }];
  build.log.info('Warning: skipping controller', { controller: definition.name });
  return [];
}

/**
 * Each controller has rate limits of its own, as upstream's clients have. With `--use-service-account-credentials` it
 * acts as its service account over one connection shared by all of them; else with our own credentials.
 */
function controllerClient(definition: ControllerDescription, build: BuildOptions): Client {
  const { options, connection, clock, random, log, metrics, fence } = build;
  const { serviceAccount } = identityOf(definition);
  const rate = definition.requestRate ?? { qps: 1, burst: 1 };
  const limits = { qps: options.flags['kube-api-qps'] * rate.qps, burst: options.flags['kube-api-burst'] * rate.burst };
  // Controllers watch what is deprecated as long as it is served, which is no news to whoever runs them.
  const common = { ...limits, clock, log, logWarnings: false, metrics, fence };
  const own = (who: string): Client =>
    createClient({ ...common, transport: connection.own, userAgent: userAgent(options.reportedVersion, who) });
  if (!options.flags['use-service-account-credentials']) return own(serviceAccount);
  const source = new TokenSource({ client: own('tokens'), serviceAccount, clock, random, log });
  return createClient({
    ...common,
    transport: withTokens(connection.anonymous(), source, fence),
    userAgent: userAgent(options.reportedVersion, `system:serviceaccount:kube-system:${serviceAccount}`),
  });
}
