import { fnv32a, formatTime } from '#pkg/base';
import { setCondition } from '../handler/pod-subresources.ts';
import { type JsonObject, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';
import { statusOf } from './world.ts';

/** Where a container stands. */
export type ContainerPhase =
  | { readonly state: 'waiting'; readonly reason: string; readonly message?: string }
  | { readonly state: 'running'; readonly ready: boolean }
  | { readonly state: 'ended'; readonly exitCode: number };

export interface PodAddresses {
  readonly hostIP: string;
  readonly podIP: string;
}

/** Writes the whole status of a Pod whose containers all stand at `phase`; in place. */
export function writeStatus(
  pod: JsonObject,
  phase: ContainerPhase,
  addresses: PodAddresses,
  now: number,
  restarts = 0,
): void {
  const status = statusOf(pod);
  const generation = numberAt(pod['metadata'], 'generation');
  if (generation !== undefined) status['observedGeneration'] = generation;
  status['phase'] = podPhase(phase, stringAt(pod['spec'], 'restartPolicy') ?? 'Always');
  status['hostIP'] = addresses.hostIP;
  status['hostIPs'] = [{ ip: addresses.hostIP }];
  if (phase.state !== 'waiting' || restarts > 0) {
    const podIP = objectAt(pod, 'spec')?.['hostNetwork'] === true ? addresses.hostIP : addresses.podIP;
    status['podIP'] ??= podIP;
    status['podIPs'] ??= podIP === addresses.podIP ? [{ ip: podIP }, { ip: secondAddress(podIP) }] : [{ ip: podIP }];
  }
  status['startTime'] ??= formatTime(now);
  status['qosClass'] ??= 'BestEffort';
  writeConditions(pod, status, phase, now, restarts);
  const before = new Map(objectsAt(status, 'containerStatuses').map((each) => [each['name'], each]));
  const initContainers = objectsAt(pod['spec'], 'initContainers');
  if (initContainers.length > 0)
    status['initContainerStatuses'] = initContainers.map((each) => initStatus(pod, each, phase, now));
  status['containerStatuses'] = objectsAt(pod['spec'], 'containers')
    .map((each) => containerStatus(pod, each, phase, now, restarts, before.get(each['name'])))
    .toSorted((a, b) => (String(a['name']) < String(b['name']) ? -1 : 1));
}

/** Pods of this cluster have an address of each family: 10.128.3.7 goes with fd00:244:80:3::7. */
function secondAddress(podIP: string): string {
  const [, second, third, last] = podIP.split('.').map((octet) => Number(octet).toString(16));
  return `fd00:244:${second}:${third}::${last}`;
}

function podPhase(phase: ContainerPhase, restartPolicy: string): string {
  if (phase.state === 'waiting') return phase.reason === 'CrashLoopBackOff' ? 'Running' : 'Pending';
  if (phase.state === 'running') return 'Running';
  if (phase.exitCode === 0) return 'Succeeded';
  return restartPolicy === 'Never' ? 'Failed' : 'Running';
}

function writeConditions(
  pod: JsonObject,
  status: JsonObject,
  phase: ContainerPhase,
  now: number,
  restarts: number,
): void {
  const observedGeneration = numberAt(pod['metadata'], 'generation');
  const generation = observedGeneration === undefined ? {} : { observedGeneration };
  const names = objectsAt(pod['spec'], 'containers').map((each) => String(each['name']));
  const ended = phase.state === 'ended' && phase.exitCode === 0;
  const why = ended
    ? { reason: 'PodCompleted' }
    : phase.state === 'ended' && status['phase'] === 'Failed'
      ? { reason: 'PodFailed' }
      : { reason: 'ContainersNotReady', message: `containers with unready status: [${names.join(' ')}]` };
  const set = (type: string, holds: boolean, reason: JsonObject): void =>
    setCondition(
      status,
      {
        ...generation,
        type,
        lastProbeTime: null,
        status: holds ? 'True' : 'False',
        ...(holds && reason['reason'] !== 'PodCompleted' ? {} : reason),
      },
      now,
    );
  const started = phase.state === 'running' || (phase.state === 'waiting' && restarts > 0);
  const ready = phase.state === 'running' && phase.ready;
  const gates = objectsAt(pod['spec'], 'readinessGates').map((gate) => gate['conditionType']);
  const open = gates.every((gate) =>
    objectsAt(status, 'conditions').some(({ type, status: value }) => type === gate && value === 'True'),
  );
  set('PodReadyToStartContainers', started, {});
  set('Initialized', true, ended ? { reason: 'PodCompleted' } : {});
  set(
    'Ready',
    ready && open,
    ready ? { reason: 'ReadinessGatesNotReady', message: 'the status of pod readiness gate is not "True"' } : why,
  );
  set('ContainersReady', ready, why);
  set('PodScheduled', true, {});
}

function containerStatus(
  pod: JsonObject,
  container: JsonObject,
  phase: ContainerPhase,
  now: number,
  restarts: number,
  before: JsonObject | undefined,
): JsonObject {
  const startedAt = stringAt(objectAt(objectAt(before, 'state'), 'running'), 'startedAt') ?? formatTime(now);
  const id = containerId(pod, container, restarts);
  const running = phase.state === 'running';
  return {
    ...identity(container, id, phase),
    lastState: lastState(phase, before, startedAt, now, restarts),
    ready: running && phase.ready,
    restartCount: restarts,
    started: running,
    state: stateOf(phase, startedAt, now, id),
  };
}

function identity(container: JsonObject, id: string, phase: ContainerPhase): JsonObject {
  const waiting = phase.state === 'waiting' && phase.reason !== 'CrashLoopBackOff';
  const image = stringAt(container, 'image') ?? '';
  return {
    name: container['name'],
    image,
    imageID: waiting ? '' : `simulated://${fnv32a(image).toString(16)}`,
    ...(waiting ? {} : { containerID: id }),
  };
}

function stateOf(phase: ContainerPhase, startedAt: string, now: number, containerID: string): JsonObject {
  switch (phase.state) {
    case 'waiting':
      return { waiting: { reason: phase.reason, ...(phase.message === undefined ? {} : { message: phase.message }) } };
    case 'running':
      return { running: { startedAt } };
    case 'ended':
      return { terminated: terminated(phase.exitCode, startedAt, now, containerID) };
  }
}

function lastState(
  phase: ContainerPhase,
  before: JsonObject | undefined,
  startedAt: string,
  now: number,
  restarts: number,
): unknown {
  const ended = objectAt(objectAt(before, 'state'), 'terminated');
  if (ended !== undefined && phase.state !== 'ended') return { terminated: ended };
  if (phase.state === 'waiting' && restarts > 0 && objectAt(objectAt(before, 'state'), 'running') !== undefined) {
    return { terminated: terminated(1, startedAt, now, stringAt(before, 'containerID') ?? '') };
  }
  return before?.['lastState'] ?? {};
}

function terminated(exitCode: number, startedAt: string, now: number, containerID: string): JsonObject {
  return {
    exitCode,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    startedAt,
    finishedAt: formatTime(now),
    containerID,
  };
}

/** Init containers are done as soon as anything runs; those that stay (`restartPolicy: Always`) run beside. */
function initStatus(pod: JsonObject, container: JsonObject, phase: ContainerPhase, now: number): JsonObject {
  const stays = container['restartPolicy'] === 'Always';
  const own: ContainerPhase =
    phase.state === 'waiting' && phase.reason !== 'CrashLoopBackOff'
      ? { state: 'waiting', reason: 'PodInitializing' }
      : stays && phase.state === 'running'
        ? phase
        : { state: 'ended', exitCode: 0 };
  const id = containerId(pod, container, 0);
  const done = own.state === 'ended';
  return {
    ...identity(container, id, own),
    lastState: {},
    ready: done || (own.state === 'running' && own.ready),
    restartCount: 0,
    started: own.state === 'running',
    state: stateOf(own, formatTime(now), now, id),
  };
}

function containerId(pod: JsonObject, container: JsonObject, restarts: number): string {
  const seed = `${stringAt(pod['metadata'], 'uid')}/${String(container['name'])}/${restarts}`;
  return `simulated://${[0, 1, 2, 3].map((part) => fnv32a(`${seed}/${part}`).toString(16).padStart(8, '0')).join('')}`;
}
