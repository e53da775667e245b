import type { KubeObject } from '#pkg/api';

/** Strings kept per generation; two generations live. */
const GENERATION = 10_000;

/**
 * Keeps one copy of strings that many objects repeat. `JSON.parse` shares property names, but every value is a string of
 * its own. Bounded: what is not met again within a generation is forgotten (and merely no longer shared).
 */
export class StringPool {
  #young = new Map<string, string>();
  #old = new Map<string, string>();

  intern(text: string): string {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const shared = this.#old.get(text) ?? text;
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(shared, shared);
    return shared;
  }
}

type Writable = Record<string, unknown>;

/**
 * Lets a freshly parsed object share the strings that it has in common with its neighbours: namespace, label values and
 * owner references. The values stay equal, so writing them into the object cannot be seen; a frozen one is left alone.
 */
export function internCommonStrings(object: KubeObject, pool: StringPool): void {
  const { metadata } = object;
  if (Object.isFrozen(metadata)) return;
  internValue(metadata as unknown as Writable, 'namespace', pool);
  internValue(metadata as unknown as Writable, 'generateName', pool);
  if (metadata.labels) internValues(metadata.labels, pool);
  for (const owner of metadata.ownerReferences ?? []) internValues(owner, pool);
}

function internValues(values: object, pool: StringPool): void {
  if (Object.isFrozen(values)) return;
  for (const key of Object.keys(values)) internValue(values as Writable, key, pool);
}

function internValue(record: Writable, key: string, pool: StringPool): void {
  const value = record[key];
  if (typeof value === 'string') record[key] = pool.intern(value);
}
