import type { KubeObject } from '#pkg/api';

/** Families per generation; two generations live, and each family holds on to one object. */
const GENERATION = 256;

type Json = Record<string, unknown>;

/**
 * Lets objects share what they have in common: the Pods of one ReplicaSet are nearly all alike, and so are an object
 * and its next version. Whatever part of a fresh object equals the same part of its relative is replaced by that part,
 * so that equal parts of an old and a new version are also identical: `old.spec === new.spec` where only the status
 * changed.
 *
 * Objects come fresh from a parser and are written to here, before anyone else sees them; since every value stays equal
 * that cannot be observed. What is frozen is left as it is.
 */
export class Sharing {
  #young = new Map<string, KubeObject>();
  #old = new Map<string, KubeObject>();

  /** `previous`: the version in the cache, if any; else the last one seen of its family is the relative. */
  share<T extends KubeObject>(fresh: T, previous: T | undefined): T {
    if (Object.isFrozen(fresh)) return fresh;
    const relative = previous ?? this.#relative(fresh);
    if (relative === undefined || relative === fresh) return fresh;
    try {
      shareParts(fresh, relative);
    } catch (error) {
      // A transform may put frozen parts of its own into an object; what was shared so far stays right.
      if (!(error instanceof TypeError)) throw error;
    }
    return fresh;
  }

  #relative(fresh: KubeObject): KubeObject | undefined {
    const { ownerReferences, namespace = '' } = fresh.metadata;
    const family = ownerReferences?.[0]?.uid ?? namespace;
    const relative = this.#young.get(family) ?? this.#old.get(family);
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(family, fresh);
    return relative;
  }
}

/** Replaces the parts of `fresh` that equal their counterparts in `kept`; true, and nothing replaced, when all do. */
function shareParts(fresh: object, kept: object): boolean {
  if (Array.isArray(fresh)) return Array.isArray(kept) && shareElements(fresh, kept);
  return !Array.isArray(kept) && shareFields(fresh as Json, kept as Json);
}

function shareFields(fresh: Json, kept: Json): boolean {
  let equal = true;
  let count = 0;
  for (const name in fresh) {
    count++;
    const value = fresh[name];
    const counterpart = kept[name];
    if (isShareable(value, counterpart)) {
      if (!equal) fresh[name] = counterpart;
    } else if (equal) {
      equal = false;
      // Writing is what costs; a part that turns out wholly equal is replaced as one instead.
      for (const before in fresh) {
        if (before === name) break;
        fresh[before] = kept[before];
      }
    }
  }
  if (!equal) return false;
  for (const _ in kept) count--;
  return count === 0;
}

function shareElements(fresh: unknown[], kept: readonly unknown[]): boolean {
  let equal = true;
  for (let i = 0; i < fresh.length; i++) {
    if (isShareable(fresh[i], kept[i])) {
      if (!equal) fresh[i] = kept[i];
    } else if (equal) {
      equal = false;
      for (let before = 0; before < i; before++) fresh[before] = kept[before];
    }
  }
  return equal && fresh.length === kept.length;
}

/** Equal strings count: they are two copies of one text until one of them is let go. */
function isShareable(value: unknown, counterpart: unknown): boolean {
  if (value === counterpart) return true;
  // An object without a field of the name __proto__ answers with its prototype.
  if (!isObject(value) || !isObject(counterpart) || counterpart === Object.prototype) return false;
  return shareParts(value, counterpart);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
