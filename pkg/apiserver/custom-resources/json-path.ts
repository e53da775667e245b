import { ownValue } from '#pkg/base';
import { isJsonObject } from '../json.ts';

/**
 * The JSONPath that definitions point into objects with (`k8s.io/client-go/util/jsonpath`): fields, `[0]`, `[1:3]`, `[*]`, `..`,
 * unions and filters such as `.status.conditions[?(@.type=="Ready")].status`.
 */
export type JsonPath = (value: unknown) => unknown[];

type Step = (values: readonly unknown[]) => unknown[];

/** Compiles a path; undefined where it cannot be read. */
export function compilePath(text: string): JsonPath | undefined {
  const reader = new Reader(text.replace(/^\$/, ''));
  const steps = reader.steps();
  if (steps === undefined) return undefined;
  return (value) => {
    let values: unknown[] = [value];
    for (const step of steps) values = step(values);
    return values;
  };
}

class Reader {
  #rest: string;

  constructor(text: string) {
    this.#rest = text;
  }

  steps(): Step[] | undefined {
    const steps: Step[] = [];
    while (this.#rest !== '') {
      const step = this.#step();
      if (step === undefined) return undefined;
      steps.push(step);
    }
    return steps;
  }

  #take(form: RegExp): RegExpExecArray | undefined {
    const match = form.exec(this.#rest);
    if (match === null) return undefined;
    this.#rest = this.#rest.slice(match[0].length);
    return match;
  }

  #step(): Step | undefined {
    if (this.#take(/^\.\.(?=.)/) !== undefined) return (values) => values.flatMap(descendants);
    if (this.#take(/^\.?\*/) !== undefined) return (values) => values.flatMap(childrenOf);
    const field = this.#take(/^\.?((?:\\.|[^.[\]\\*])+)/)?.[1];
    if (field !== undefined) return fieldStep(field.replace(/\\(.)/g, '$1'));
    if (this.#take(/^\.(?=\[|$)/) !== undefined) return (values) => [...values];
    const filter = this.#take(/^\[\?\((.*?)\)\]/)?.[1];
    if (filter !== undefined) return filterStep(filter);
    const inside = this.#take(/^\[((?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^\]'"])*)\]/)?.[1];
    return inside === undefined ? undefined : bracketStep(inside);
  }
}

function fieldStep(name: string): Step {
  return (values) =>
    values.flatMap((value) =>
      isJsonObject(value) && ownValue(value, name) !== undefined ? [ownValue(value, name)] : [],
    );
}

function childrenOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  return isJsonObject(value) ? Object.values(value) : [];
}

function descendants(value: unknown): unknown[] {
  return [value, ...childrenOf(value).flatMap(descendants)];
}

function bracketStep(text: string): Step | undefined {
  if (text.trim() === '*') return (values) => values.flatMap(childrenOf);
  const parts = (text.match(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^,]+/g) ?? []).map((part) => oneOfUnion(part.trim()));
  const steps = parts.filter((part) => part !== undefined);
  if (steps.length === 0 || steps.length < parts.length) return undefined;
  return (values) => steps.flatMap((step) => step(values));
}

function oneOfUnion(text: string): Step | undefined {
  const quoted = /^(['"])(.*)\1$/s.exec(text)?.[2];
  if (quoted !== undefined) return fieldStep(quoted.replace(/\\(.)/g, '$1'));
  const slice = /^(-?\d*)(?::(-?\d*))?(?::(-?\d*))?$/.exec(text);
  if (slice === null) return undefined;
  const [, from = '', to, step = ''] = slice;
  if (to === undefined) return from === '' ? undefined : (values) => values.flatMap((value) => at(value, Number(from)));
  return (values) => values.flatMap((value) => sliceOf(value, from, to, step));
}

function at(value: unknown, index: number): unknown[] {
  const list = Array.isArray(value) ? (value as unknown[]) : [];
  const item = list.at(index);
  return item === undefined ? [] : [item];
}

function sliceOf(value: unknown, from: string, to: string, step: string): unknown[] {
  const list = Array.isArray(value) ? (value as unknown[]) : [];
  const part = list.slice(from === '' ? 0 : Number(from), to === '' ? undefined : Number(to));
  const every = step === '' ? 1 : Math.max(Number(step), 1);
  return part.filter((_, index) => index % every === 0);
}

const COMPARISONS: Readonly<Record<string, (left: unknown, right: unknown) => boolean>> = {
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '<': (left, right) => isOrdered(left, right) && left < (right as string),
  '<=': (left, right) => isOrdered(left, right) && left <= (right as string),
  '>': (left, right) => isOrdered(left, right) && left > (right as string),
  '>=': (left, right) => isOrdered(left, right) && left >= (right as string),
};

function isOrdered(left: unknown, right: unknown): left is string {
  return typeof left === typeof right && (typeof left === 'number' || typeof left === 'string');
}

function filterStep(text: string): Step | undefined {
  const match = /^(.*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.*))?$/.exec(text.trim())!;
  const [, left = '', operator, right = ''] = match;
  const first = operandOf(left);
  if (first === undefined) return undefined;
  if (operator === undefined) return (values) => values.flatMap(childrenOf).filter((item) => first(item).length > 0);
  const second = operandOf(right);
  if (second === undefined) return undefined;
  const holds = ownValue(COMPARISONS, operator)!;
  return (values) =>
    values.flatMap(childrenOf).filter((item) => {
      const [a] = first(item);
      const [b] = second(item);
      return a !== undefined && b !== undefined && holds(a, b);
    });
}

function operandOf(text: string): JsonPath | undefined {
  const trimmed = text.trim();
  if (trimmed.startsWith('@')) return compilePath(trimmed.slice(1));
  const quoted = /^(['"])(.*)\1$/s.exec(trimmed)?.[2];
  if (quoted !== undefined) return () => [quoted];
  if (/^-?\d+(?:\.\d+)?$/.test(trimmed)) return () => [Number(trimmed)];
  if (trimmed === 'true' || trimmed === 'false') return () => [trimmed === 'true'];
  return undefined;
}
