import { ownValue } from '#pkg/base';
import type { Node } from '#pkg/api';

import { ZONE } from './desired.ts';

/** Nodes that run the control plane are no place for endpoints, whatever the value of the label. */
const EXCLUDED = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];

/** What one node adds: CPU to a zone, or nothing but that its zone or CPU is not known. */
type Share = { readonly zone: string; readonly cpu: number } | 'unknown';

/** Part of all CPU that each zone has; undefined where that cannot be said. */
export type ZoneRatios = ReadonlyMap<string, number> | undefined;

/**
 * The CPU of ready nodes by zone, kept up with each node that comes, changes or goes. One node of which CPU or zone is
 * not known makes all of it unknown, and so does a single zone (`SetNodes` in
 * `staging/src/k8s.io/endpointslice/topologycache/topologycache.go`).
 */
export class ZoneCapacity {
  readonly #shares = new Map<string, Share>();
  readonly #cpuByZone = new Map<string, { cpu: number; nodes: number }>();
  #unknown = 0;
  /** Before the first node the zones are none, rather than unknown. */
  #ratios: ZoneRatios = new Map();

  get ratios(): ZoneRatios {
    return this.#ratios;
  }

  /** Answers whether the ratios are others than before. */
  set(node: Node): boolean {
    return this.#replace(node.metadata.name, shareOf(node));
  }

  delete(name: string): boolean {
    return this.#replace(name, undefined);
  }

  #replace(name: string, share: Share | undefined): boolean {
    this.#add(this.#shares.get(name), -1);
    this.#add(share, 1);
    if (share === undefined) this.#shares.delete(name);
    else this.#shares.set(name, share);
    const before = this.#ratios;
    this.#ratios = this.#compute();
    return !sameRatios(before, this.#ratios);
  }

  #add(share: Share | undefined, sign: 1 | -1): void {
    if (share === undefined) return;
    if (share === 'unknown') {
      this.#unknown += sign;
      return;
    }
    const zone = this.#cpuByZone.get(share.zone) ?? { cpu: 0, nodes: 0 };
    zone.cpu += sign * share.cpu;
    zone.nodes += sign;
    if (zone.nodes === 0) this.#cpuByZone.delete(share.zone);
    else this.#cpuByZone.set(share.zone, zone);
  }

  #compute(): ZoneRatios {
    if (this.#unknown > 0 || this.#cpuByZone.size < 2) return undefined;
    let total = 0;
    for (const { cpu } of this.#cpuByZone.values()) total += cpu;
    return new Map([...this.#cpuByZone].map(([zone, { cpu }]) => [zone, Math.ceil(cpu) / Math.ceil(total)]));
  }
}

function sameRatios(a: ZoneRatios, b: ZoneRatios): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.size === b.size && [...a].every(([zone, ratio]) => b.get(zone) === ratio);
}

/** Undefined for a node that does not count. */
function shareOf({ metadata, status }: Node): Share | undefined {
  const labels = metadata.labels ?? {};
  if (EXCLUDED.some((label) => ownValue(labels, label) !== undefined)) return undefined;
  if (!(status?.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True')) return undefined;
  const zone = labels[ZONE];
  const cpu = milliCpu(status?.allocatable?.['cpu']);
  return !zone || cpu === 0 ? 'unknown' : { zone, cpu };
}

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/** Thousandths of a CPU in a quantity; 0 where there is none. */
export function milliCpu(quantity: string | undefined): number {
  const match = /^\+?(\d+\.?\d*|\.\d+)(?:([numkMG]|[KMG]i)|[eE]([+-]?\d+))?$/.exec(quantity ?? '');
  if (!match) return 0;
  const [, digits, suffix = '', exponent] = match;
  const factor = exponent === undefined ? ownValue(SUFFIXES, suffix) : 10 ** Number(exponent);
  // Nine digits behind the point are all that a quantity has; the rounding takes the noise of binary fractions away.
  return factor === undefined ? 0 : Math.round(Number(digits) * factor * 1e9) / 1e6;
}
