import type { Status } from '#pkg/api';
import type { ObjectType } from '../schema/index.ts';

type ErrorType =
  | 'required'
  | 'invalid'
  | 'duplicate'
  | 'notFound'
  | 'notSupported'
  | 'forbidden'
  | 'tooLong'
  | 'tooMany'
  | 'internal'
  | 'typeInvalid';

/** One thing wrong with an object (`k8s.io/apimachinery/pkg/util/validation/field.Error`). */
export interface FieldError {
  /** `spec.template.spec.containers[0].name` */
  readonly field: string;
  readonly type: ErrorType;
  /** Shown before the detail, for the types that show it; undefined prints as null. */
  readonly badValue?: unknown;
  /** Not shown even so. */
  readonly omitsValue?: boolean;
  readonly detail: string;
}

const WORDS: Readonly<Record<ErrorType, readonly [reason: string, words: string, showsValue: boolean]>> = {
  required: ['FieldValueRequired', 'Required value', false],
  invalid: ['FieldValueInvalid', 'Invalid value', true],
  duplicate: ['FieldValueDuplicate', 'Duplicate value', true],
  notFound: ['FieldValueNotFound', 'Not found', true],
  notSupported: ['FieldValueNotSupported', 'Unsupported value', true],
  forbidden: ['FieldValueForbidden', 'Forbidden', false],
  tooLong: ['FieldValueTooLong', 'Too long', false],
  tooMany: ['FieldValueTooMany', 'Too many', true],
  internal: ['InternalError', 'Internal error', false],
  typeInvalid: ['FieldValueTypeInvalid', 'Invalid value', true],
};

/** Collects what is wrong. */
export class Problems {
  readonly list: FieldError[] = [];

  required(field: string, detail = ''): void {
    this.list.push({ field, type: 'required', detail });
  }

  invalid(field: string, badValue: unknown, ...details: readonly string[]): void {
    for (const detail of details) this.list.push({ field, type: 'invalid', badValue, detail });
  }

  /** Where the value would say nothing. */
  wrong(field: string, detail: string): void {
    this.list.push({ field, type: 'invalid', omitsValue: true, detail });
  }

  /** `values` in the order in which upstream lists them. */
  unsupported(field: string, badValue: unknown, values: readonly string[]): void {
    const detail = `supported values: ${values.map((value) => JSON.stringify(value)).join(', ')}`;
    this.list.push({ field, type: 'notSupported', badValue, detail });
  }

  forbidden(field: string, detail: string): void {
    this.list.push({ field, type: 'forbidden', detail });
  }

  duplicate(field: string, badValue: unknown): void {
    this.list.push({ field, type: 'duplicate', badValue, detail: '' });
  }

  notFound(field: string, badValue: unknown): void {
    this.list.push({ field, type: 'notFound', badValue, detail: '' });
  }

  tooLong(field: string, limit: number): void {
    this.list.push({ field, type: 'tooLong', detail: `may not be more than ${limit} bytes` });
  }

  tooMany(field: string, count: number, limit: number): void {
    this.list.push({ field, type: 'tooMany', badValue: count, detail: `must have at most ${limit} items` });
  }

  /** Missing is fine; below `minimum` is not. */
  atLeast(field: string, value: unknown, minimum: number, words = `must be greater than or equal to ${minimum}`): void {
    if (typeof value === 'number' && value < minimum) this.invalid(field, value, words);
  }

  /** Missing is fine; unknown is not. */
  oneOf(field: string, value: unknown, values: readonly string[]): void {
    if (value !== undefined && value !== '' && !values.includes(value as string))
      this.unsupported(field, value, values);
  }
}

/** Go writes maps, which labels are, with their keys in order. */
function sortMaps(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  if (!entries.every(([, child]) => typeof child === 'string')) return value;
  return Object.fromEntries(entries.toSorted(([a], [c]) => (a < c ? -1 : 1)));
}

function bodyOf({ type, badValue, omitsValue = false, detail }: FieldError): string {
  const [, words, showsValue] = WORDS[type];
  const value = showsValue && !omitsValue ? `: ${JSON.stringify(badValue ?? null, sortMaps)}` : '';
  return `${words}${value}${detail === '' ? '' : `: ${detail}`}`;
}

/** The Status of a 422 (`apierrors.NewInvalid`). */
export function invalidStatus(kind: ObjectType, name: string, errors: readonly FieldError[]): Status {
  const full = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const messages = Array.from(new Set(errors.map((error) => `${error.field}: ${bodyOf(error)}`)));
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `${full} ${JSON.stringify(name)} is invalid: ${messages.length === 1 ? messages[0] : `[${messages.join(', ')}]`}`,
    reason: 'Invalid',
    details: {
      ...(name === '' ? {} : { name }),
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.kind,
      causes: errors.map((error) => ({ reason: WORDS[error.type][0], message: bodyOf(error), field: error.field })),
    },
    code: 422,
  } as const;
  return status;
}
