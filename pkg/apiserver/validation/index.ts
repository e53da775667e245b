import type { Status } from '#pkg/api';
import type { JsonObject } from '../json.ts';
import type { ObjectType } from '../schema/index.ts';

/** One thing wrong with an object (`field.Error`). */
export interface FieldError {
  /** `spec.template.spec.containers[0].name` */
  readonly field: string;
  readonly type: 'required' | 'invalid' | 'duplicate' | 'notFound' | 'notSupported' | 'forbidden' | 'tooLong' | 'tooMany' | 'internal' | 'typeInvalid';
  readonly badValue?: unknown;
  readonly detail: string;
}

export function validateCreate(_type: ObjectType, _object: JsonObject): FieldError[] {
  return [];
}

export function validateUpdate(_type: ObjectType, _object: JsonObject, _old: JsonObject, _subresource?: string): FieldError[] {
  return [];
}

/** The Status of a 422. */
export function invalidStatus(kind: ObjectType, name: string, errors: readonly FieldError[]): Status {
  const full = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const messages = errors.map((error) => `${error.field}: ${error.detail}`);
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: `${full} "${name}" is invalid: ${messages.join(', ')}`,
    reason: 'Invalid',
    details: { name, group: kind.group, kind: kind.kind, causes: errors.map(({ field, detail }) => ({ field, message: detail })) },
    code: 422,
  };
}
