import { type Pod, isPodAvailable, isPodReady } from '#pkg/api';

import { strategyOf } from './strategy.ts';
import {
  type Changes,
  type PlacedNode,
  type Report,
  type Snapshot,
  bySchedulingAndAge,
  isGoing,
  minReadySeconds,
} from './snapshot.ts';
import { HASH } from './template.ts';

/** Whether a failed Pod of the node must stay for some time yet. */
export type Lingers = (node: string) => boolean;

/** What to change so that each node has what belongs there. */
export interface Management extends Changes {
  /** Nodes of which a failed Pod goes. */
  readonly failedOn: readonly string[];
  /** Nodes on which one stays until its time has come. */
  readonly lingering: readonly string[];
  readonly reports: readonly Report[];
}

interface Draft {
  readonly remove: Pod[];
  readonly create: string[];
  readonly failedOn: string[];
  readonly lingering: string[];
  readonly reports: Report[];
}

/**
 * One Pod on each node that should run one, none where none may stay, failed and finished ones replaced; with surge a
 * second one while it takes over (`manage` and `podsShouldBeOnNode` in `pkg/controller/daemon`).
 */
export function manage(snapshot: Snapshot, lingers: Lingers): Management {
  const draft: Draft = { remove: [], create: [], failedOn: [], lingering: [], reports: [] };
  for (const node of snapshot.nodes) {
    const pods = snapshot.podsByNode.get(node.name);
    if (!pods && node.shouldRun) draft.create.push(node.name);
    else if (node.mayStay) keepOne(snapshot, node, pods ?? [], lingers, draft);
    else if (pods) draft.remove.push(...pods.filter((pod) => !isGoing(pod)));
  }
  draft.remove.push(...withoutNode(snapshot));
  return draft;
}

function keepOne(snapshot: Snapshot, node: PlacedNode, pods: readonly Pod[], lingers: Lingers, draft: Draft): void {
  const running = pods.filter((pod) => !isGoing(pod) && !replaces(pod, node.name, lingers, draft));
  if (!strategyOf(snapshot.daemonSet).surges) {
    if (running.length > 1) draft.remove.push(...running.toSorted(bySchedulingAndAge).slice(1));
    return;
  }
  if (running.length === 0 && node.shouldRun) draft.create.push(node.name);
  if (running.length > 1) draft.remove.push(...surplusOf(snapshot, running));
}

/** True for a Pod that has ended: it goes, or lingers, and counts no more. */
function replaces(pod: Pod, node: string, lingers: Lingers, { remove, failedOn, lingering, reports }: Draft): boolean {
  const { namespace, name } = pod.metadata;
  switch (pod.status?.phase) {
    case 'Failed':
      // One at a time: the first that goes makes the others wait.
      if (failedOn.includes(node) || lingers(node)) {
        lingering.push(node);
        return true;
      }
      failedOn.push(node);
      reports.push({
        type: 'Warning',
        reason: 'FailedDaemonPod',
        message: `Found failed daemon pod ${namespace}/${name} on node ${node}, will try to kill it`,
      });
      break;
    case 'Succeeded':
      reports.push({
        type: 'Normal',
        reason: 'SucceededDaemonPod',
        message: `Found succeeded daemon pod ${namespace}/${name} on node ${node}, will try to delete it`,
      });
      break;
    default:
      return false;
  }
  remove.push(pod);
  return true;
}

/** With surge the oldest old Pod may stay beside the oldest new one, as long as it is ready and the other not available. */
function surplusOf({ daemonSet, hash, now }: Snapshot, running: readonly Pod[]): Pod[] {
  const sorted = running.toSorted(bySchedulingAndAge);
  const isNew = (pod: Pod): boolean => pod.metadata.labels?.[HASH] === hash;
  const newest = sorted.find(isNew);
  const oldest = sorted.find((pod) => !isNew(pod));
  const surplus = sorted.filter((pod) => pod !== newest && pod !== oldest);
  const takenOver =
    newest && oldest && (!isPodReady(oldest) || isPodAvailable(newest, minReadySeconds(daemonSet), now));
  return takenOver ? [...surplus, oldest] : surplus;
}

/** Pods meant for a node that is gone before they got there: nobody else would ever clear them away. */
function withoutNode({ nodes, podsByNode }: Snapshot): Pod[] {
  const known = new Set(nodes.map(({ name }) => name));
  return [...podsByNode].flatMap(([node, pods]) =>
    known.has(node) ? [] : pods.filter((pod) => !pod.spec?.nodeName && !isGoing(pod)),
  );
}
