import { describeError } from '#pkg/base';

/** Names under which a credential may travel; their values are never printed. */
const SECRET =
  /^(?:authorization|password|token|secret|.*(?:-|_)?key-?data|.*token-?data|bearer.*|private-?key|credentials?)$/i;
const HIDDEN = '[redacted]';

export function isSecretName(name: string): boolean {
  return SECRET.test(name);
}

/**
 * What a field prints as: an object of the API as `namespace/name` (never its content), an error as its message, and
 * anything else as itself, with the values of telling names hidden at any depth.
 */
export function plainValue(name: string, value: unknown): unknown {
  if (value === null || value === undefined) return value;
  if (isSecretName(name)) return HIDDEN;
  if (typeof value !== 'object') return typeof value === 'bigint' || typeof value === 'symbol' ? String(value) : value;
  if (value instanceof Error) return describeError(value);
  const reference = objectReference(value);
  if (reference !== undefined) return reference;
  if (value instanceof Set) return [...value];
  if (value instanceof Map) return Object.fromEntries(value);
  return value;
}

/** JSON of a nested value; objects of the API and errors inside it are rendered as at the top. */
export function nestedJson(value: unknown): string {
  try {
    return (
      JSON.stringify(value, (name, inner: unknown) => (inner === value ? inner : plainValue(name, inner))) ?? 'null'
    );
  } catch (error) {
    return JSON.stringify(`unprintable: ${describeError(error)}`);
  }
}

function objectReference(value: object): string | undefined {
  const subject =
    'metadata' in value && typeof value.metadata === 'object' && value.metadata !== null ? value.metadata : value;
  const { name, namespace } = subject as { name?: unknown; namespace?: unknown };
  if (typeof name !== 'string' || (namespace !== undefined && typeof namespace !== 'string')) return undefined;
  // A bare pair is a reference only if it is nothing more.
  if (subject === value && Object.keys(value).some((key) => key !== 'name' && key !== 'namespace')) return undefined;
  return namespace ? `${namespace}/${name}` : name;
}
