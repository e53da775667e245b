import type { KubeObject, LabelSelector } from '#pkg/api';
import { type Random, ownValue } from '#pkg/base';

/**
 * Names that are valid keys of labels, annotations and selectors, and that every plain object has already. A lookup that
 * does not ask for own properties finds them everywhere.
 */
export const HOSTILE_KEYS = [
  'constructor',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'isPrototypeOf',
  'propertyIsEnumerable',
  'toLocaleString',
] as const;

/** Keys of data and names of variables may be this one, too, under which an assignment replaces the prototype. */
export const HOSTILE_DATA_KEYS = [...HOSTILE_KEYS, '__proto__'] as const;

/** Names of objects, namespaces, containers and ports: lower case only. */
export const HOSTILE_NAME = 'constructor';

export function hostileKey(random: Random): string {
  return HOSTILE_KEYS[Math.floor(random() * HOSTILE_KEYS.length)]!;
}

interface Json {
  readonly [key: string]: unknown;
}

/**
 * The object as a hostile user would have written it, with the same meaning: `key` annotates it and its Pod template, and
 * its label selector and node affinity ask that the label `key` does not exist, which is so for every object without it.
 */
export function withHostileKey<T extends KubeObject>(object: T, key: string): T {
  const { metadata } = object;
  const annotations = { ...metadata.annotations, [key]: 'hostile' };
  const spec = (object as { readonly spec?: Json }).spec;
  return { ...object, metadata: { ...metadata, annotations }, ...(spec ? { spec: hostileSpec(spec, key) } : {}) };
}

function hostileSpec(spec: Json, key: string): Json {
  const selector = ownValue(spec, 'selector') as LabelSelector | undefined;
  const template = ownValue(spec, 'template') as Json | undefined;
  const structured = selector?.matchLabels !== undefined || selector?.matchExpressions !== undefined;
  return {
    ...spec,
    ...(structured ? { selector: withExpression(selector, key) } : {}),
    ...(template ? { template: hostileTemplate(template, key) } : {}),
  };
}

function withExpression(selector: LabelSelector, key: string): LabelSelector {
  return {
    ...selector,
    matchExpressions: [...(selector.matchExpressions ?? []), { key, operator: 'DoesNotExist' }],
  };
}

function hostileTemplate(template: Json, key: string): Json {
  const metadata = template['metadata'] as { readonly annotations?: Json } | undefined;
  return { ...template, metadata: { ...metadata, annotations: { ...metadata?.annotations, [key]: 'hostile' } } };
}
