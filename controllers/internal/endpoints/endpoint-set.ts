import { semanticEqual } from '#pkg/base';

import type { Endpoint } from './types.ts';

/**
 * Endpoints by what makes one the same as before: addresses, host name and the object behind it. The rest (conditions,
 * node, zone) changes in place (`staging/src/k8s.io/endpointslice/util/endpointset.go`). Keeps the order of insertion.
 */
export class EndpointSet {
  readonly #byIdentity = new Map<string, Endpoint>();

  get size(): number {
    return this.#byIdentity.size;
  }

  add(endpoint: Endpoint): void {
    this.#byIdentity.set(identityOf(endpoint), endpoint);
  }

  /** The one that is the same as `endpoint`. */
  get(endpoint: Endpoint): Endpoint | undefined {
    return this.#byIdentity.get(identityOf(endpoint));
  }

  /** Takes the one out that is the same as `endpoint`. */
  take(endpoint: Endpoint): Endpoint | undefined {
    const identity = identityOf(endpoint);
    const found = this.#byIdentity.get(identity);
    if (found) this.#byIdentity.delete(identity);
    return found;
  }

  /** All, oldest first. */
  values(): readonly Endpoint[] {
    return [...this.#byIdentity.values()];
  }

  /** Takes up to `count` out, oldest first. */
  takeSome(count: number): Endpoint[] {
    const taken: Endpoint[] = [];
    for (const [identity, endpoint] of this.#byIdentity) {
      if (taken.length >= count) break;
      this.#byIdentity.delete(identity);
      taken.push(endpoint);
    }
    return taken;
  }
}

function identityOf({ addresses, hostname = '', targetRef }: Endpoint): string {
  const sorted = addresses.length < 2 ? addresses[0] : addresses.toSorted().join(',');
  return `${sorted}\n${hostname}\n${targetRef?.namespace ?? ''}/${targetRef?.name ?? ''}`;
}

/**
 * Two endpoints of one identity say the same, hints left out, and the version of the object behind them, which every
 * heartbeat of a Pod changes (`EndpointsEqualBeyondHash`).
 */
export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return (
    a.nodeName === b.nodeName &&
    a.zone === b.zone &&
    a.conditions?.ready === b.conditions?.ready &&
    a.conditions?.serving === b.conditions?.serving &&
    a.conditions?.terminating === b.conditions?.terminating &&
    semanticEqual(unversioned(a.targetRef), unversioned(b.targetRef))
  );
}

function unversioned(reference: Endpoint['targetRef']): Endpoint['targetRef'] {
  return reference?.resourceVersion === undefined ? reference : { ...reference, resourceVersion: undefined };
}
