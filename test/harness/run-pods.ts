import {
  type Pod,
  controllerOf,
  isConflict,
  isNotFound,
  isPodTerminal,
  keyOf,
  podCondition,
  resources,
} from '#pkg/api';
import { formatTime, isAbort, sleep, systemClock } from '#pkg/base';
import type { Client } from '#pkg/client';

/** Where a Pod is bound to; no Node object stands behind it, and the API server asks for none. */
const NODE = 'test-node';
const NEVER_READY = 'simulation.kubernetes.io/never-ready';
const TERMINATION_DELAY = 'simulation.kubernetes.io/termination-delay';
const RUN_DURATION = 'simulation.kubernetes.io/run-duration';
const EXIT_CODE = 'simulation.kubernetes.io/exit-code';

/** How long the Pods of Jobs run, as in the simulation, s. */
const JOB_DURATION = '2';

/** Between attempts of a persistent runner, ms. */
const AGAIN = 300;

/** The node that a Pod of a DaemonSet asks for by its name. */
function nodeOf({ spec }: Pod): string {
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const [named] = required?.nodeSelectorTerms.flatMap(({ matchFields = [] }) => matchFields) ?? [];
  return named?.values?.[0] ?? NODE;
}

export interface PodRunner {
  /** Ends it; rejects with what it failed with. */
  stop(): Promise<void>;
}

/**
 * Scheduler and kubelets for an API server that has none: binds every Pod, reports it running and ready, and lets it go
 * when it is deleted. Pods of Jobs end after a while. Of the annotations of the embedded server's simulation it honours
 * `never-ready`, `exit-code`, and `termination-delay` and `run-duration` in seconds. A `persistent` one looks at all of them anew after an error, for servers that come and go.
 */
export function runPods(client: Client, { persistent = false }: { readonly persistent?: boolean } = {}): PodRunner {
  const pods = client.resource(resources.pods);
  const stopping = new AbortController();
  const { signal } = stopping;
  const under = new Map<string, Promise<void>>();

  /** What the Pod needs next; the change that this makes brings it here again. */
  async function move(pod: Pod): Promise<void> {
    const { annotations = {} } = pod.metadata;
    const ofJob = controllerOf(pod)?.kind === 'Job' && !isPodTerminal(pod);
    if (pod.metadata.deletionTimestamp !== undefined) {
      if ((pod.metadata.deletionGracePeriodSeconds ?? 0) === 0) return;
      await sleep(systemClock, parseInt(annotations[TERMINATION_DELAY] ?? '0', 10) * 1000, signal);
      if (ofJob) await report(pod, endOf(pod, 143));
      await pods.delete(pod.metadata, { gracePeriodSeconds: 0, signal });
    } else if (!pod.spec?.nodeName) {
      const { name, namespace } = pod.metadata;
      const body = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace },
        target: { apiVersion: 'v1', kind: 'Node', name: nodeOf(pod) },
      };
      await client.request(
        { method: 'POST', path: `/api/v1/namespaces/${namespace}/pods/${name}/binding`, body },
        { signal },
      );
    } else if (!podCondition(pod, 'Ready')) {
      await report(pod, statusOf(pod));
      if (ofJob)
        void endLater(
          pod,
          parseFloat(annotations[RUN_DURATION] ?? JOB_DURATION) * 1000,
          Number(annotations[EXIT_CODE] ?? 0),
        );
    }
  }

  async function report(pod: Pod, status: NonNullable<Pod['status']>): Promise<void> {
    await pods.patch(pod.metadata, 'strategic', { status }, { subresource: 'status', signal });
  }

  /** After a while, beside whatever else happens to the Pod until then. */
  async function endLater(pod: Pod, after: number, exitCode: number): Promise<void> {
    try {
      await sleep(systemClock, after, signal);
      const live = await pods.get(pod.metadata, { signal });
      if (live.metadata.uid === pod.metadata.uid && !isPodTerminal(live)) await report(pod, endOf(pod, exitCode));
    } catch (error) {
      if (!isNotFound(error) && !isAbort(error, signal) && !persistent)
        fail(new Error(`cannot end ${keyOf(pod)}`, { cause: error }));
    }
  }

  /** One at a time for each Pod: a later change waits for what the earlier one set going. */
  function see(pod: Pod): void {
    const before = under.get(pod.metadata.uid) ?? Promise.resolve();
    const after = before
      .then(() => move(pod))
      .catch((error: unknown) => {
        if (isNotFound(error) || isConflict(error) || isAbort(error, signal)) return;
        if (persistent) broken.abort();
        else fail(new Error(`cannot run ${keyOf(pod)}`, { cause: error }));
      });
    under.set(pod.metadata.uid, after);
  }

  let failure: Error | undefined;
  function fail(error: Error): void {
    failure ??= error;
    stopping.abort();
  }

  /** Aborts when something failed; of a persistent runner. */
  let broken = new AbortController();

  async function run(): Promise<void> {
    if (!persistent) return follow(signal);
    while (!signal.aborted) {
      broken = new AbortController();
      await follow(AbortSignal.any([signal, broken.signal])).catch(() => {});
      await sleep(systemClock, AGAIN, signal);
    }
  }

  async function follow(end: AbortSignal): Promise<void> {
    const first = await pods.list({ signal: end });
    first.items.forEach(see);
    let { resourceVersion } = first.metadata;
    while (!end.aborted) {
      for await (const event of pods.watch({ resourceVersion, allowWatchBookmarks: true, signal: end })) {
        if (event.type === 'ERROR') throw new Error(`watching pods: ${event.object.message}`);
        ({ resourceVersion } = event.object.metadata);
        if (event.type === 'DELETED') under.delete(event.object.metadata.uid);
        else if (event.type !== 'BOOKMARK') see(event.object);
      }
    }
  }

  const ended = run().catch((error: unknown) => {
    if (!isAbort(error, signal)) fail(new Error('cannot watch Pods', { cause: error }));
  });
  return {
    async stop() {
      stopping.abort();
      await ended;
      await Promise.all(under.values());
      if (failure) throw failure;
    },
  };
}

function endOf({ spec }: Pod, exitCode: number): NonNullable<Pod['status']> {
  const time = formatTime(Date.now());
  const phase = exitCode === 0 ? 'Succeeded' : 'Failed';
  const terminated = { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt: time, finishedAt: time };
  const containers = spec?.containers ?? [];
  return {
    phase,
    conditions: ['Ready', 'ContainersReady'].map((type) => ({
      type,
      status: 'False',
      reason: phase === 'Failed' ? 'PodFailed' : 'PodCompleted',
      lastTransitionTime: time,
    })),
    containerStatuses: containers.map(({ name, image = '' }) => ({
      name,
      image,
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { terminated },
    })),
  };
}

/** Addresses given out so far, in this process. */
let addresses = 0;

/** One of each family, of the ranges that are commonly those of Pods. */
function nextAddresses(): readonly { readonly ip: string }[] {
  const number = (addresses = (addresses % 0xfffe) + 1);
  return [{ ip: `10.244.${number >> 8}.${number & 0xff}` }, { ip: `fd00:10:244::${number.toString(16)}` }];
}

function statusOf(pod: Pod): NonNullable<Pod['status']> {
  const lastTransitionTime = formatTime(Date.now());
  const status = pod.metadata.annotations?.[NEVER_READY] === 'true' ? 'False' : 'True';
  const condition = (type: string) => ({ type, status, lastTransitionTime });
  const podIPs = nextAddresses();
  return {
    phase: 'Running',
    startTime: lastTransitionTime,
    podIP: podIPs[0]!.ip,
    podIPs,
    conditions: [condition('Ready'), condition('ContainersReady')],
  };
}
