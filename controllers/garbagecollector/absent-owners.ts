import type { Claim } from './vertex.ts';

/** As many as upstream's (`NewReferenceCache`). */
const KEPT = 500;

/**
 * Owners that are known not to be there and of which nobody speaks at the moment: whoever speaks of one again need not be
 * asked about.
 */
export class AbsentOwners {
  readonly #names = new Set<string>();

  add(claim: Claim): void {
    const name = nameOf(claim);
    this.#names.delete(name);
    this.#names.add(name);
    if (this.#names.size <= KEPT) return;
    for (const oldest of this.#names) {
      this.#names.delete(oldest);
      return;
    }
  }

  has(claim: Claim): boolean {
    return this.#names.has(nameOf(claim));
  }
}

/** Of namespace, coordinates and UID none has a line break. */
function nameOf({ owner, apiVersion, kind, namespace, name }: Claim): string {
  return [owner.uid, apiVersion, kind, namespace, name].join('\n');
}
