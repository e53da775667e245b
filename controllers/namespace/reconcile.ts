import { type Namespace, isConflict, isNotFound } from '#pkg/api';
import { type Clock, formatTime, isAbort, parseTime } from '#pkg/base';
import type { Discovery } from '#pkg/client';
import { type ReconcileResult, aggregate } from '#pkg/controller';
import type { Logger } from '#pkg/log';

import type { Api } from './api.ts';
import { type Emptied, emptyNamespace } from './write.ts';
import { type Findings, decideConditions, discoveryFailure } from './conditions.ts';
import { contentOf } from './content.ts';
import type { SharedDiscovery } from './shared-discovery.ts';

export interface Deps {
  readonly api: Api;
  readonly discovery: SharedDiscovery;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The part of a namespace's end that is this controller's. */
const FINALIZER = 'kubernetes';
const TERMINATING = 'Terminating';

/**
 * One look at a namespace that is being deleted: asks its content to go, says in its conditions what keeps it, and once nothing is
 * left takes this controller's finalizer off. Resolves with when to look again; rejects with what failed.
 */
export async function deleteNamespace(name: string, deps: Deps, signal: AbortSignal): Promise<ReconcileResult | void> {
  // Read anew, although the cache has it: one look at it is the price of never emptying a namespace made since under the same name.
  let namespace = await deps.api.namespace(name, signal);
  if (namespace?.metadata.deletionTimestamp === undefined) return;
  if (namespace.status?.phase !== TERMINATING) {
    namespace = await retried(namespace, deps.api, signal, (latest) =>
      deps.api.updateStatus({ ...latest, status: { ...latest.status, phase: TERMINATING } }, signal),
    );
    if (namespace === undefined) return;
  }
  if (!namespace.spec?.finalizers?.length) return;

  const { found, error } = await discoverAll(deps.discovery, signal);
  const elapsed = (deps.clock.now() - parseTime(namespace.metadata.deletionTimestamp)) / 1000;
  const content = contentOf(found);
  const emptied = await emptyNamespace(content, { namespace: name, elapsed, api: deps.api }, signal);
  const findings: Findings = {
    undiscovered: found.failed,
    ...(error === undefined ? {} : { discoveryError: error }),
    unreadable: content.unreadable,
    failures: emptied.failures,
    leftovers: emptied.onlyPods ? undefined : emptied.leftovers,
  };
  namespace = await report(namespace, findings, deps, signal);

  const failed = failuresOf(findings, emptied, error);
  if (failed !== undefined) throw failed;
  const estimate = Math.max(0, ...emptied.leftovers.map((leftover) => leftover.estimate));
  if (estimate > 0) {
    const seconds = Math.floor(estimate / 2) + 1;
    deps.log.v(4)?.info('Content remaining in namespace', { namespace: name, waitSeconds: seconds });
    return { requeueAfter: seconds * 1000 };
  }
  await finalize(namespace, deps.api, signal);
}

async function discoverAll(
  discovery: SharedDiscovery,
  signal: AbortSignal,
): Promise<{ found: Discovery; error?: unknown }> {
  try {
    return { found: await discovery.get(signal) };
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    return { found: { resources: [], failed: new Map() }, error };
  }
}

/** A status that cannot be written keeps nothing from going. */
async function report(
  namespace: Namespace,
  findings: Findings,
  { api, clock, log }: Deps,
  signal: AbortSignal,
): Promise<Namespace> {
  const conditions = decideConditions(namespace.status?.conditions ?? [], findings, formatTime(clock.now()));
  if (conditions === undefined) return namespace;
  try {
    return await api.updateStatus({ ...namespace, status: { ...namespace.status, conditions } }, signal);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    log.error("Couldn't update status condition for namespace", error, { namespace: namespace.metadata.name });
    return namespace;
  }
}

function failuresOf({ undiscovered, unreadable }: Findings, { errors }: Emptied, discoveryError: unknown): unknown {
  const gaps = discoveryFailure(undiscovered);
  return aggregate([
    ...(discoveryError === undefined ? [] : [discoveryError]),
    ...(gaps === undefined ? [] : [new Error(gaps)]),
    ...(unreadable === undefined ? [] : [new Error(unreadable)]),
    ...errors,
  ]);
}

/** Others may hold the namespace with finalizers of their own; with the last one it is gone. */
async function finalize(namespace: Namespace, api: Api, signal: AbortSignal): Promise<void> {
  await retried(namespace, api, signal, async (latest) => {
    const finalizers = latest.spec?.finalizers ?? [];
    if (finalizers.includes(FINALIZER)) {
      await api.finalize(
        { ...latest, spec: { ...latest.spec, finalizers: finalizers.filter((one) => one !== FINALIZER) } },
        signal,
      );
    }
    return latest;
  });
}

/** Writes to a namespace that others write to as well: on a conflict once more, to what it is then. Undefined where it is gone. */
async function retried(
  namespace: Namespace,
  api: Api,
  signal: AbortSignal,
  write: (latest: Namespace) => Promise<Namespace>,
): Promise<Namespace | undefined> {
  let latest = namespace;
  for (;;) {
    try {
      return await write(latest);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (!isConflict(error)) throw error;
    }
    const now = await api.namespace(latest.metadata.name, signal);
    // Another one of the same name is none of this sync's business.
    if (now === undefined || now.metadata.uid !== latest.metadata.uid) return undefined;
    latest = now;
  }
}
