import { ownValue, setOwnValue } from '#pkg/base';
import { cloneJson, isJsonObject } from '../json.ts';
import { type Structural, structuralUnder } from './structural.ts';

/** Fills in, in place, what the definition says is there where nothing is said (`schema/defaulting`). */
export function fillDefaults(value: unknown, structural: Structural | undefined): void {
  if (structural === undefined) return;
  if (Array.isArray(value)) {
    const { items } = structural;
    for (const [index, item] of value.entries()) {
      if (isUnwantedNull(item, items)) value[index] = cloneJson(items!.default ?? null);
      fillDefaults(value[index], items);
    }
  } else if (isJsonObject(value)) {
    for (const [name, property] of structural.properties) {
      if (property.default === undefined) continue;
      if (ownValue(value, name) === undefined || isUnwantedNull(ownValue(value, name), property))
        setOwnValue(value, name, cloneJson(property.default));
    }
    for (const key of Object.keys(value)) {
      const under = structuralUnder(structural, key);
      if (!structural.properties.has(key) && isUnwantedNull(ownValue(value, key), under))
        setOwnValue(value, key, cloneJson(under!.default ?? null));
      fillDefaults(ownValue(value, key), under);
    }
  }
}

function isUnwantedNull(value: unknown, structural: Structural | undefined): boolean {
  return value === null && structural !== undefined && !structural.nullable;
}
