import { ownValue } from '#pkg/base';
import { formatQuantity, parseQuantity } from '../decode/index.ts';
import { type JsonObject, objectAt, stringAt } from '../json.ts';
import type { Problems } from './errors.ts';
import { qualifiedNameErrors } from './names.ts';

const CONTAINER_RESOURCES = new Set(['cpu', 'memory', 'ephemeral-storage']);
const NANO = 1_000_000_000n;

export function nanoOf(text: unknown): bigint {
  return parseQuantity(typeof text === 'string' ? text : '')?.nano ?? 0n;
}

/** Amounts of a container (`ValidateContainerResourceRequirements`). */
export function checkContainerResources(problems: Problems, resources: JsonObject | undefined, at: string): void {
  const limits = objectAt(resources, 'limits') ?? {};
  const requests = objectAt(resources, 'requests') ?? {};
  for (const [name, amount] of Object.entries(limits)) checkAmount(problems, name, amount, `${at}.limits[${name}]`);
  for (const [name, amount] of Object.entries(requests)) {
    checkAmount(problems, name, amount, `${at}.requests[${name}]`);
    const limit = ownValue(limits, name);
    if (limit === undefined) continue;
    const over = nanoOf(amount) > nanoOf(limit);
    if (isExtended(name) ? nanoOf(amount) !== nanoOf(limit) : over) {
      const relation = isExtended(name) ? 'equal to' : 'less than or equal to';
      problems.invalid(
        `${at}.requests`,
        amount,
        `must be ${relation} ${name} limit of ${typeof limit === 'string' ? limit : ''}`,
      );
    }
  }
}

/** Whether a resource has a domain of its own, and so is counted in whole units and never overcommitted. */
function isExtended(name: string): boolean {
  return name.includes('/') && !name.split('/')[0]!.endsWith('kubernetes.io') && !name.startsWith('requests.');
}

function checkAmount(problems: Problems, name: string, amount: unknown, at: string): void {
  checkResourceName(
    problems,
    name,
    at,
    'containers',
    (one) => CONTAINER_RESOURCES.has(one) || one.startsWith('hugepages-'),
  );
  checkNotNegative(problems, amount, at);
  if (isExtended(name) && nanoOf(amount) % NANO !== 0n) problems.invalid(at, amount, 'must be an integer');
}

/** A name is qualified, or one that the API defines for the purpose. */
export function checkResourceName(
  problems: Problems,
  name: string,
  at: string,
  purpose: string,
  isStandard: (name: string) => boolean,
): void {
  problems.invalid(at, name, ...qualifiedNameErrors(name));
  if (name.includes('/')) return;
  if (isStandard(name)) return;
  problems.invalid(
    at,
    name,
    'must be a standard resource type or fully qualified',
    `must be a standard resource for ${purpose}`,
  );
}

export function checkNotNegative(problems: Problems, amount: unknown, at: string): void {
  if (nanoOf(amount) < 0n) problems.invalid(at, amount, 'must be greater than or equal to 0');
}

export function checkPositive(problems: Problems, amount: unknown, at: string): void {
  const quantity = parseQuantity(typeof amount === 'string' ? amount : '');
  if (quantity === undefined || quantity.nano > 0n) return;
  problems.invalid(at, formatQuantity(quantity), 'must be greater than zero');
}

export function storageOf(resources: JsonObject | undefined): string | undefined {
  return stringAt(objectAt(resources, 'requests'), 'storage');
}
