import { type Clock, type Random, type Timer, systemClock, systemRandom } from '#pkg/base';
import type { Store } from '../store/index.ts';
import { Kubelet, type KubeletDelays } from './kubelet.ts';
import { type NodeOptions, createNode, heartbeat, nodeName } from './nodes.ts';
import { Scheduler } from './scheduler.ts';
import type { World } from './world.ts';

export interface SimulationOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  /** How many nodes to make; 3 where missing. */
  readonly nodes?: number;
  readonly node?: NodeOptions;
  /** From created to scheduled, ms; 10 where missing. */
  readonly scheduleDelay?: number;
  /** Start 400 ms, termination 500 ms, job 2 s where missing. */
  readonly delays?: Partial<KubeletDelays>;
  /** Renew a Lease a node so often, ms; never where missing, which is right where nobody watches over nodes. */
  readonly heartbeat?: number;
  /** Write the Events that schedulers and kubelets write; not where missing. */
  readonly events?: boolean;
}

export interface Simulation {
  stop(): void;
}

interface SimulatedServer {
  readonly store: Store;
}

/**
 * Makes workloads move without running anything: nodes that are ready, a scheduler that places Pods on them, and kubelets
 * that report them running and let them go. Pods and nodes say how by annotations (`simulation.kubernetes.io/...`).
 */
export function startSimulation(server: SimulatedServer, options: SimulationOptions = {}): Simulation {
  const { clock = systemClock, random = systemRandom, nodes = 3, events = false } = options;
  const world: World = { store: server.store, clock, random, events };
  for (let index = 0; index < nodes; index++) createNode(world, index, options.node ?? {});
  const kubelet = new Kubelet(world, { start: 400, termination: 500, job: 2000, ...options.delays });
  const scheduler = new Scheduler(world, options.scheduleDelay ?? 10);
  const stopHeartbeats = options.heartbeat === undefined ? (): void => {} : beat(world, nodes, options.heartbeat);
  return {
    stop() {
      scheduler.stop();
      kubelet.stop();
      stopHeartbeats();
    },
  };
}

function beat(world: World, nodes: number, period: number): () => void {
  let timer: Timer;
  const tick = (): void => {
    timer = world.clock.setTimeout(tick, period);
    for (let index = 0; index < nodes; index++) heartbeat(world, nodeName(index));
  };
  tick();
  return () => timer.cancel();
}
