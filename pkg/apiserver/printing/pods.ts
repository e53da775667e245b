import { parseTime } from '#pkg/base';
import { type JsonObject, objectAt, objectsAt, stringAt } from '../json.ts';
import { NONE, condition, count, isBeingDeleted, since, text } from './format.ts';
import type { Printer } from './types.ts';

/** What `kubectl get pods` shows (`printPod` in `pkg/printers/internalversion`). */
export const podPrinter: Printer = {
  columns: 'Ready|Status|Restarts|Age|*IP|*Node|*Nominated Node|*Readiness Gates',
  cells: (pod, age, now) => {
    const summary = summarize(pod);
    const { restarts, lastRestart } = summary;
    const restartText =
      restarts > 0 && lastRestart > 0
        ? `${restarts} (${since(new Date(lastRestart).toISOString(), now)} ago)`
        : String(restarts);
    const status = objectAt(pod, 'status');
    return [
      `${summary.ready}/${summary.total}`,
      summary.reason,
      restartText,
      age,
      text(objectsAt(status, 'podIPs')[0], 'ip', NONE),
      text(objectAt(pod, 'spec'), 'nodeName', NONE),
      text(status, 'nominatedNodeName', NONE),
      readinessGates(pod),
    ];
  },
  conditions: (pod) => {
    const phase = stringAt(pod['status'], 'phase');
    if (phase === 'Succeeded')
      return [{ type: 'Completed', status: 'True', reason: phase, message: 'The pod has completed successfully.' }];
    if (phase === 'Failed') return [{ type: 'Completed', status: 'True', reason: phase, message: 'The pod failed.' }];
    return undefined;
  },
};

interface Restarts {
  restarts: number;
  /** Milliseconds since the epoch; 0 where there was none. */
  lastRestart: number;
}

interface Summary extends Restarts {
  ready: number;
  total: number;
  reason: string;
}

function summarize(pod: JsonObject): Summary {
  const spec = objectAt(pod, 'spec');
  const status = objectAt(pod, 'status');
  const phase = text(status, 'phase');
  const sidecars = new Set(
    objectsAt(spec, 'initContainers')
      .filter((container) => container['restartPolicy'] === 'Always')
      .map((container) => container['name']),
  );
  const summary: Summary = {
    ready: 0,
    total: objectsAt(spec, 'containers').length + sidecars.size,
    reason: text(status, 'reason', phase),
    restarts: 0,
    lastRestart: 0,
  };
  if (condition(pod, 'PodScheduled')?.['reason'] === 'SchedulingGated') summary.reason = 'SchedulingGated';
  const sidecarRestarts: Restarts = { restarts: 0, lastRestart: 0 };
  const initializing = readInitContainers(pod, sidecars, summary, sidecarRestarts);
  if (!initializing || condition(pod, 'Initialized')?.['status'] === 'True') {
    Object.assign(summary, sidecarRestarts);
    readContainers(pod, summary);
  }
  if (isBeingDeleted(pod)) {
    if (text(status, 'reason') === 'NodeLost') summary.reason = 'Unknown';
    else if (phase !== 'Succeeded' && phase !== 'Failed') summary.reason = 'Terminating';
  }
  return summary;
}

function countRestarts(target: Restarts, container: JsonObject): void {
  target.restarts += count(container, 'restartCount');
  const finished = parseTime(stringAt(objectAt(objectAt(container, 'lastState'), 'terminated'), 'finishedAt') ?? '');
  if (finished > target.lastRestart) target.lastRestart = finished;
}

/** Whether the Pod is still initializing; the reason tells how far. */
function readInitContainers(
  pod: JsonObject,
  sidecars: ReadonlySet<unknown>,
  summary: Summary,
  sidecarRestarts: Restarts,
): boolean {
  const total = objectsAt(objectAt(pod, 'spec'), 'initContainers').length;
  for (const [index, container] of objectsAt(objectAt(pod, 'status'), 'initContainerStatuses').entries()) {
    const sidecar = sidecars.has(container['name']);
    countRestarts(summary, container);
    if (sidecar) countRestarts(sidecarRestarts, container);
    const state = objectAt(container, 'state');
    const terminated = objectAt(state, 'terminated');
    const waiting = text(objectAt(state, 'waiting'), 'reason');
    if (terminated !== undefined && count(terminated, 'exitCode') === 0) continue;
    if (sidecar && container['started'] === true) {
      if (container['ready'] === true) summary.ready++;
      continue;
    }
    if (terminated !== undefined) summary.reason = `Init:${endReason(terminated)}`;
    else if (waiting !== '' && waiting !== 'PodInitializing') summary.reason = `Init:${waiting}`;
    else summary.reason = `Init:${index}/${total}`;
    return true;
  }
  return false;
}

function readContainers(pod: JsonObject, summary: Summary): void {
  let running = false;
  let errorReason = '';
  for (const container of objectsAt(objectAt(pod, 'status'), 'containerStatuses').toReversed()) {
    countRestarts(summary, container);
    const state = objectAt(container, 'state');
    const waiting = text(objectAt(state, 'waiting'), 'reason');
    const terminated = objectAt(state, 'terminated');
    if (waiting !== '') summary.reason = waiting;
    else if (terminated !== undefined) {
      summary.reason = endReason(terminated);
      if (count(terminated, 'exitCode') !== 0) errorReason = summary.reason;
    } else if (container['ready'] === true && objectAt(state, 'running') !== undefined) {
      running = true;
      summary.ready++;
    }
  }
  if (summary.reason !== 'Completed') return;
  if (running && condition(pod, 'Ready')?.['status'] === 'True') summary.reason = 'Running';
  else if (errorReason !== '') summary.reason = errorReason;
  else if (running) summary.reason = 'NotReady';
}

function endReason(terminated: JsonObject): string {
  const reason = text(terminated, 'reason');
  if (reason !== '') return reason;
  const signal = count(terminated, 'signal');
  return signal === 0 ? `ExitCode:${count(terminated, 'exitCode')}` : `Signal:${signal}`;
}

function readinessGates(pod: JsonObject): string {
  const gates = objectsAt(objectAt(pod, 'spec'), 'readinessGates');
  if (gates.length === 0) return NONE;
  const open = gates.filter((gate) => condition(pod, text(gate, 'conditionType'))?.['status'] === 'True');
  return `${open.length}/${gates.length}`;
}
