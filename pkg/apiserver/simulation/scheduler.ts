import type { Timer } from '#pkg/base';
import { setCondition } from '../handler/pod-subresources.ts';
import { type JsonObject, ensureObject, listAt, numberAt, objectAt, stringAt } from '../json.ts';
import type { Entry, StoreEvent } from '../store/index.ts';
import { obstacle, requestsOf } from './fit.ts';
import { type World, modify, recordEvent, statusOf } from './world.ts';

interface Load {
  cpu: number;
  memory: number;
  pods: number;
}

const SOURCE = { component: 'default-scheduler' };

/**
 * Puts Pods on nodes: wherever they may go, on the one with the fewest Pods. A Pod that fits nowhere waits until a node
 * changes or a Pod goes.
 */
export class Scheduler {
  readonly #world: World;
  readonly #delay: number;
  readonly #stops: (() => void)[] = [];
  readonly #queue = new Set<string>();
  readonly #waiting = new Set<string>();
  readonly #loads = new Map<string, Load>();
  #timer: Timer | undefined;

  constructor(world: World, delay: number) {
    this.#world = world;
    this.#delay = delay;
    const { store } = world;
    for (const entry of store.page('pods', {}).entries) {
      this.#count(entry, 1);
      this.#consider(entry);
    }
    this.#stops.push(store.watch('pods', {}, store.revision, (event) => this.#onPod(event)));
    this.#stops.push(store.watch('nodes', {}, store.revision, () => this.#retry()));
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#timer?.cancel();
  }

  #onPod({ type, entry, previous }: StoreEvent): void {
    if (previous !== undefined) this.#count(previous, -1);
    if (type === 'DELETED') {
      this.#queue.delete(entry.key);
      this.#waiting.delete(entry.key);
      this.#retry();
      return;
    }
    this.#count(entry, 1);
    this.#consider(entry);
  }

  /** A Pod that has ended holds nothing any more. */
  #count(entry: Entry, sign: 1 | -1): void {
    const node = stringAt(entry.object['spec'], 'nodeName') ?? '';
    const phase = stringAt(entry.object['status'], 'phase');
    if (node === '' || phase === 'Succeeded' || phase === 'Failed') return;
    const load = this.#loads.get(node) ?? { cpu: 0, memory: 0, pods: 0 };
    const { cpu, memory } = requestsOf(entry.object);
    load.cpu += sign * cpu;
    load.memory += sign * memory;
    load.pods += sign;
    this.#loads.set(node, load);
  }

  #consider(entry: Entry): void {
    const spec = objectAt(entry.object, 'spec');
    const own = (stringAt(spec, 'schedulerName') ?? 'default-scheduler') === 'default-scheduler';
    const placed = (stringAt(spec, 'nodeName') ?? '') !== '';
    const going = stringAt(entry.object['metadata'], 'deletionTimestamp') !== undefined;
    if (placed || going || !own || listAt(spec, 'schedulingGates').length > 0) {
      this.#queue.delete(entry.key);
      this.#waiting.delete(entry.key);
      return;
    }
    if (this.#waiting.has(entry.key)) return;
    this.#queue.add(entry.key);
    this.#arm();
  }

  #retry(): void {
    if (this.#waiting.size === 0) return;
    for (const key of this.#waiting) this.#queue.add(key);
    this.#waiting.clear();
    this.#arm();
  }

  #arm(): void {
    this.#timer ??= this.#world.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#work();
    }, this.#delay);
  }

  #work(): void {
    const keys = [...this.#queue];
    this.#queue.clear();
    if (keys.length === 0) return;
    const nodes = this.#world.store.page('nodes', {}).entries;
    for (const key of keys) {
      const entry = this.#world.store.get('pods', key);
      if (entry !== undefined && (stringAt(entry.object['spec'], 'nodeName') ?? '') === '') this.#place(entry, nodes);
    }
  }

  #place(entry: Entry, nodes: readonly Entry[]): void {
    const obstacles = new Map<string, number>();
    let best: { name: string; pods: number } | undefined;
    for (const node of nodes) {
      const load = this.#loads.get(node.key) ?? { cpu: 0, memory: 0, pods: 0 };
      const why = obstacle(entry.object, node.object, load);
      if (why !== undefined) obstacles.set(why, (obstacles.get(why) ?? 0) + 1);
      else if (best === undefined || load.pods < best.pods) best = { name: node.key, pods: load.pods };
    }
    if (best === undefined) this.#refuse(entry, nodes.length, obstacles);
    else this.#bind(entry, best.name);
  }

  #bind(entry: Entry, node: string): void {
    modify(this.#world, 'pods', entry.key, (pod) => {
      ensureObject(pod, 'spec')['nodeName'] = node;
      const observedGeneration = numberAt(pod['metadata'], 'generation');
      setCondition(
        statusOf(pod),
        {
          type: 'PodScheduled',
          status: 'True',
          lastProbeTime: null,
          ...(observedGeneration === undefined ? {} : { observedGeneration }),
        },
        this.#world.clock.now(),
      );
    });
    recordEvent(this.#world, entry.object, SOURCE, 'Scheduled', `Successfully assigned ${entry.key} to ${node}`);
  }

  #refuse(entry: Entry, total: number, obstacles: ReadonlyMap<string, number>): void {
    this.#waiting.add(entry.key);
    const reasons = [...obstacles].map(([why, count]) => `${count} ${why}`).sort();
    const message =
      total === 0 ? 'no nodes available to schedule pods' : `0/${total} nodes are available: ${reasons.join(', ')}.`;
    if (alreadySaid(entry.object, message)) return;
    modify(this.#world, 'pods', entry.key, (pod) => {
      setCondition(
        statusOf(pod),
        { type: 'PodScheduled', status: 'False', lastProbeTime: null, reason: 'Unschedulable', message },
        this.#world.clock.now(),
      );
    });
    recordEvent(this.#world, entry.object, SOURCE, 'FailedScheduling', message, 'Warning');
  }
}

function alreadySaid(pod: Readonly<JsonObject>, message: string): boolean {
  const conditions = listAt(pod['status'], 'conditions') as JsonObject[];
  return conditions.some(({ type, message: said }) => type === 'PodScheduled' && said === message);
}
