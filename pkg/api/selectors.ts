import { ownValue } from '#pkg/base';
import type { LabelSelector, StringMap } from './types.ts';

/** A compiled label selector. */
export interface Selector {
  matches(labels: StringMap | undefined): boolean;
  /** Matches nothing, whatever the labels. */
  readonly nothing: boolean;
  /** Matches everything. */
  readonly everything: boolean;
  /** The query form, requirements sorted by key: `app=web,tier in (a,b)`. */
  toString(): string;
}

/** A selector that does not follow the API's rules; the message names the part at fault. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

type Operator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';

interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
  /** How it was written: `=`, `==`, `!=` keep their form. */
  readonly text: string;
}

class Requirements implements Selector {
  readonly nothing = false;
  readonly everything: boolean;
  readonly #requirements: readonly Requirement[];

  constructor(requirements: readonly Requirement[]) {
    this.#requirements = requirements.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    this.everything = requirements.length === 0;
  }

  matches(labels: StringMap | undefined): boolean {
    for (const needed of this.#requirements) if (!satisfies(needed, ownValue(labels, needed.key))) return false;
    return true;
  }

  toString(): string {
    return this.#requirements.map(({ text }) => text).join(',');
  }
}

function satisfies(needed: Requirement, value: string | undefined): boolean {
  switch (needed.operator) {
    case 'In':
      return value !== undefined && needed.values.includes(value);
    case 'NotIn':
      return value === undefined || !needed.values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      if (value === undefined || !/^-?\d+$/.test(value)) return false;
      const bound = BigInt(needed.values[0]!);
      return needed.operator === 'Gt' ? BigInt(value) > bound : BigInt(value) < bound;
    }
  }
}

/** Matches every object. */
export const everything: Selector = new Requirements([]);

/** Matches no object. */
export const nothing: Selector = { matches: () => false, nothing: true, everything: false, toString: () => '' };

/** Compiles the structured form. As in apimachinery a missing selector matches nothing and an empty one everything. */
export function compileSelector(selector: LabelSelector | null | undefined): Selector {
  if (selector === null || selector === undefined) return nothing;
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    requirements.push(requirement(key, 'In', [value], `${key}=${value}`));
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    switch (operator) {
      case 'In':
      case 'NotIn':
        requirements.push(setRequirement(key, operator, values));
        break;
      case 'Exists':
        requirements.push(requirement(key, operator, [], key));
        break;
      case 'DoesNotExist':
        requirements.push(requirement(key, operator, [], `!${key}`));
        break;
      default:
        throw new SelectorError(`"${operator}" is not a valid label selector operator`);
    }
  }
  return new Requirements(requirements);
}

/** Compiles a plain map, every pair of which must be present (a ReplicationController's selector). */
export function compileLabels(labels: StringMap): Selector {
  return new Requirements(
    Object.entries(labels).map(([key, value]) => requirement(key, 'In', [value], `${key}=${value}`)),
  );
}

/** Parses the query form: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2`. Throws {@link SelectorError}. */
export function parseSelector(text: string): Selector {
  const requirements = splitRequirements(text).map(parseRequirement);
  return requirements.length === 0 ? everything : new Requirements(requirements);
}

function splitRequirements(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')') depth--;
    else if (text[i] === ',' && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  const trimmed = parts.map((part) => part.trim());
  if (trimmed.length === 1 && trimmed[0] === '') return [];
  return trimmed;
}

const KEY = '[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?';
const SET_FORM = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const COMPARE_FORM = new RegExp(`^(${KEY})\\s*(=|==|!=|>|<)\\s*([-A-Za-z0-9_.]*)$`);
const EXISTS_FORM = new RegExp(`^(!?)\\s*(${KEY})$`);

function parseRequirement(text: string): Requirement {
  const set = SET_FORM.exec(text);
  if (set) {
    const values = set[3]!.split(',').map((value) => value.trim());
    return setRequirement(set[1]!, set[2] === 'in' ? 'In' : 'NotIn', values);
  }
  const compare = COMPARE_FORM.exec(text);
  if (compare) {
    const [, key, sign, value] = compare as unknown as [string, string, string, string];
    if (sign === '>' || sign === '<') {
      if (!/^-?\d+$/.test(value)) throw new SelectorError(`"${text}": "${value}" is not an integer`);
      return requirement(key, sign === '>' ? 'Gt' : 'Lt', [value], `${key}${sign}${value}`);
    }
    return requirement(key, sign === '!=' ? 'NotIn' : 'In', [value], `${key}${sign}${value}`);
  }
  const exists = EXISTS_FORM.exec(text);
  if (exists)
    return requirement(exists[2]!, exists[1] === '!' ? 'DoesNotExist' : 'Exists', [], text.replace(/\s/g, ''));
  throw new SelectorError(`unable to parse requirement "${text}"`);
}

function setRequirement(key: string, operator: 'In' | 'NotIn', values: readonly string[]): Requirement {
  if (values.length === 0)
    throw new SelectorError(`key "${key}": for 'in', 'notin' operators, values set can't be empty`);
  const sorted = values.toSorted();
  return requirement(key, operator, sorted, `${key} ${operator === 'In' ? 'in' : 'notin'} (${sorted.join(',')})`);
}

function requirement(key: string, operator: Operator, values: readonly string[], text: string): Requirement {
  return { key, operator, values, text };
}
