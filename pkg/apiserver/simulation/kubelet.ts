import type { Timer } from '#pkg/base';
import { type JsonObject, ensureObject, listAt, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';
import type { Entry, StoreEvent } from '../store/index.ts';
import { MANAGED, behaviourOf } from './annotations.ts';
import { type ContainerPhase, type PodAddresses, writeStatus } from './pod-status.ts';
import { type World, modify, recordEvent } from './world.ts';

export interface KubeletDelays {
  /** From scheduled to running, ms. */
  readonly start: number;
  /** From told to go to gone, ms; never more than the grace period. */
  readonly termination: number;
  /** How long the containers of a Job's Pod run, ms. */
  readonly job: number;
}

/** Where a Pod stands with its node; `next` is the one thing that is to happen to it. */
interface Running {
  readonly uid: string;
  stage: 'starting' | 'running' | 'backing-off' | 'ended' | 'terminating';
  restarts: number;
  next: Timer | undefined;
  podIP: string;
}

/** Waits between restarts of a container that keeps ending: ten seconds, doubled up to five minutes. */
const FIRST_BACKOFF = 10_000;
const LONGEST_BACKOFF = 300_000;

/** Runs the Pods of all simulated nodes: starts, ends, restarts, terminates. No container is ever started. */
export class Kubelet {
  readonly #world: World;
  readonly #delays: KubeletDelays;
  readonly #pods = new Map<string, Running>();
  readonly #stop: () => void;
  #addresses = 0;

  constructor(world: World, delays: KubeletDelays) {
    this.#world = world;
    this.#delays = delays;
    const { store } = world;
    for (const entry of store.page('pods', {}).entries) this.#see(entry);
    this.#stop = store.watch('pods', {}, store.revision, (event) => this.#onPod(event));
  }

  stop(): void {
    this.#stop();
    for (const running of this.#pods.values()) running.next?.cancel();
    this.#pods.clear();
  }

  #onPod({ type, entry }: StoreEvent): void {
    if (type === 'DELETED') this.#forget(entry.key);
    else this.#see(entry);
  }

  #forget(key: string): void {
    this.#pods.get(key)?.next?.cancel();
    this.#pods.delete(key);
  }

  #see(entry: Entry): void {
    const node = stringAt(entry.object['spec'], 'nodeName') ?? '';
    if (node === '' || !this.#isOurs(node)) return;
    const uid = stringAt(entry.object['metadata'], 'uid')!;
    let running = this.#pods.get(entry.key);
    if (running !== undefined && running.uid !== uid) {
      this.#forget(entry.key);
      running = undefined;
    }
    if (running === undefined) running = this.#begin(entry, uid);
    const going = stringAt(entry.object['metadata'], 'deletionTimestamp') !== undefined;
    if (going && running.stage !== 'terminating') this.#beginTermination(entry, running);
    else if (!going && running.stage === 'running') this.#followSpec(entry, running);
  }

  #isOurs(node: string): boolean {
    return objectAt(this.#world.store.get('nodes', node)?.object['metadata'], 'annotations')?.[MANAGED] === 'true';
  }

  #begin(entry: Entry, uid: string): Running {
    const phase = stringAt(entry.object['status'], 'phase');
    const ended = phase === 'Succeeded' || phase === 'Failed';
    const podIP = stringAt(entry.object['status'], 'podIP') ?? this.#nextAddress();
    const running: Running = { uid, stage: ended ? 'ended' : 'starting', restarts: 0, next: undefined, podIP };
    this.#pods.set(entry.key, running);
    if (!ended) {
      const delay = behaviourOf(entry.object).startDelay ?? this.#delays.start;
      this.#after(entry.key, running, 0, () => this.#create(entry.key, running, delay));
    }
    return running;
  }

  #create(key: string, running: Running, delay: number): void {
    const start = (): void => this.#start(key, running);
    if (delay <= 0) {
      start();
      return;
    }
    this.#write(key, running, { state: 'waiting', reason: 'ContainerCreating' });
    this.#after(key, running, delay, start);
  }

  #start(key: string, running: Running): void {
    const pod = this.#world.store.get('pods', key)?.object;
    if (pod === undefined) return;
    const { neverReady, runDuration = this.#runDurationOf(pod) } = behaviourOf(pod);
    running.stage = 'running';
    this.#write(key, running, { state: 'running', ready: !neverReady });
    this.#tellStart(pod);
    if (runDuration !== undefined) this.#after(key, running, runDuration, () => this.#end(key, running));
  }

  #tellStart(pod: Readonly<JsonObject>): void {
    const source = { component: 'kubelet', host: stringAt(pod['spec'], 'nodeName')! };
    for (const container of objectsAt(pod['spec'], 'containers')) {
      const name = String(container['name']);
      recordEvent(
        this.#world,
        pod,
        source,
        'Pulled',
        `Container image "${String(container['image'])}" already present on machine`,
      );
      recordEvent(this.#world, pod, source, 'Created', `Container created: ${name}`);
      recordEvent(this.#world, pod, source, 'Started', `Container started: ${name}`);
    }
  }

  #runDurationOf(pod: Readonly<JsonObject>): number | undefined {
    const owners = objectsAt(pod['metadata'], 'ownerReferences');
    return owners.some((owner) => owner['controller'] === true && owner['kind'] === 'Job')
      ? this.#delays.job
      : undefined;
  }

  #end(key: string, running: Running): void {
    const pod = this.#world.store.get('pods', key)?.object;
    if (pod === undefined) return;
    const { exitCode } = behaviourOf(pod);
    const policy = stringAt(pod['spec'], 'restartPolicy') ?? 'Always';
    if (policy === 'Never' || (policy === 'OnFailure' && exitCode === 0)) {
      running.stage = 'ended';
      this.#write(key, running, { state: 'ended', exitCode });
      return;
    }
    running.stage = 'backing-off';
    const wait = running.restarts === 0 ? 0 : Math.min(FIRST_BACKOFF * 2 ** (running.restarts - 1), LONGEST_BACKOFF);
    running.restarts++;
    if (wait > 0) {
      const name = stringAt(objectsAt(pod['spec'], 'containers')[0], 'name');
      const message = `back-off ${wait / 1000}s restarting failed container=${name} pod=${stringAt(pod['metadata'], 'name')}_${stringAt(pod['metadata'], 'namespace')}(${running.uid})`;
      this.#write(key, running, { state: 'waiting', reason: 'CrashLoopBackOff', message });
    }
    this.#after(key, running, wait, () => this.#start(key, running));
  }

  /** A change of images, and gates that others open, show in the status. */
  #followSpec(entry: Entry, running: Running): void {
    const generation = numberAt(entry.object['metadata'], 'generation') ?? 0;
    const observed = numberAt(entry.object['status'], 'observedGeneration') ?? 0;
    const gated = listAt(entry.object['spec'], 'readinessGates').length > 0;
    if (generation <= observed && !gated) return;
    const { neverReady } = behaviourOf(entry.object);
    this.#world.clock.setTimeout(() => {
      const still = this.#pods.get(entry.key) === running && running.stage === 'running';
      if (still) this.#write(entry.key, running, { state: 'running', ready: !neverReady });
    }, 0);
  }

  #beginTermination(entry: Entry, running: Running): void {
    const started = running.stage !== 'starting';
    const ended = running.stage === 'ended';
    running.stage = 'terminating';
    const grace = (numberAt(entry.object['metadata'], 'deletionGracePeriodSeconds') ?? 0) * 1000;
    const source = { component: 'kubelet', host: stringAt(entry.object['spec'], 'nodeName')! };
    if (started && !ended) {
      for (const container of objectsAt(entry.object['spec'], 'containers')) {
        recordEvent(this.#world, entry.object, source, 'Killing', `Stopping container ${String(container['name'])}`);
      }
    }
    const delay = ended ? 0 : Math.min(grace, behaviourOf(entry.object).terminationDelay ?? this.#delays.termination);
    this.#after(entry.key, running, delay, () => this.#finish(entry.key, running, ended));
  }

  /** The containers are down: says so, then lets the Pod go, as far as finalizers do. */
  #finish(key: string, running: Running, ended: boolean): void {
    if (!ended) this.#write(key, running, { state: 'ended', exitCode: 0 });
    const entry = this.#world.store.get('pods', key);
    if (entry === undefined) return;
    if (listAt(entry.object['metadata'], 'finalizers').length === 0) {
      this.#world.store.delete('pods', key, entry.revision);
      return;
    }
    modify(this.#world, 'pods', key, (pod) => {
      ensureObject(pod, 'metadata')['deletionGracePeriodSeconds'] = 0;
    });
  }

  #write(key: string, running: Running, phase: ContainerPhase): void {
    modify(this.#world, 'pods', key, (pod) => {
      const before = JSON.stringify(pod['status']);
      writeStatus(pod, phase, this.#addressesOf(pod, running), this.#world.clock.now(), running.restarts);
      return JSON.stringify(pod['status']) !== before;
    });
  }

  #addressesOf(pod: JsonObject, running: Running): PodAddresses {
    const node = this.#world.store.get('nodes', stringAt(pod['spec'], 'nodeName')!)?.object;
    const address = objectsAt(node?.['status'], 'addresses').find(({ type }) => type === 'InternalIP');
    return { hostIP: stringAt(address, 'address') ?? '10.0.0.1', podIP: running.podIP };
  }

  #nextAddress(): string {
    const number = (this.#addresses = (this.#addresses % 0x3f_fffe) + 1);
    return `10.${128 + (number >> 16)}.${(number >> 8) & 0xff}.${number & 0xff}`;
  }

  #after(key: string, running: Running, delay: number, callback: () => void): void {
    running.next?.cancel();
    running.next = this.#world.clock.setTimeout(() => {
      running.next = undefined;
      if (this.#pods.get(key) === running) callback();
    }, delay);
  }
}
