/** A plain object as a map from names to values. */
interface Values<Value> {
  readonly [key: string]: Value;
}

/**
 * Looks up a property of a plain object by a key that may come from outside. Only own properties count, so that
 * `constructor`, `toString` and the other names that every object inherits are absent unless they were put there.
 */
export function ownValue<Value>(object: Values<Value> | null | undefined, key: string): Value | undefined {
  return object !== null && object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Sets an own property of a plain object, under whatever key: an assignment to `__proto__` would replace the prototype. */
export function setOwnValue<Value>(object: { [key: string]: Value }, key: string, value: NoInfer<Value>): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}
