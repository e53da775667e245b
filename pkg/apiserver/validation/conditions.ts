import { type JsonObject, objectsAt, stringAt } from '../json.ts';
import type { Problems } from './errors.ts';
import { qualifiedNameErrors, regexErrors } from './names.ts';

const STATUSES = ['False', 'True', 'Unknown'];
const REASON = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const LONGEST_REASON = 1024;
const LONGEST_MESSAGE = 32 * 1024;

/** Conditions of the common shape, `metav1.Condition`, as a controller may write them (`ValidateConditions` of apimachinery). */
export function checkConditions(problems: Problems, status: JsonObject, at = 'status.conditions'): void {
  const types = new Set<unknown>();
  for (const [index, condition] of objectsAt(status, 'conditions').entries()) {
    if (types.has(condition['type'])) problems.duplicate(`${at}[${index}].type`, condition['type']);
    types.add(condition['type']);
    checkCondition(problems, condition, `${at}[${index}]`);
  }
}

function checkCondition(problems: Problems, condition: JsonObject, at: string): void {
  const text = (name: string): string => stringAt(condition, name) ?? '';
  problems.invalid(`${at}.type`, text('type'), ...qualifiedNameErrors(text('type')));
  if (!STATUSES.includes(text('status'))) problems.unsupported(`${at}.status`, text('status'), STATUSES);
  problems.atLeast(
    `${at}.observedGeneration`,
    condition['observedGeneration'],
    0,
    'must be greater than or equal to zero',
  );
  if (text('lastTransitionTime') === '') problems.required(`${at}.lastTransitionTime`);
  if (text('reason') === '') problems.required(`${at}.reason`);
  else {
    const words =
      "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";
    problems.invalid(
      `${at}.reason`,
      text('reason'),
      ...regexErrors(
        text('reason'),
        words,
        REASON,
        'my_name',
        'MY_NAME',
        'MyName',
        'ReasonA,ReasonB',
        'ReasonA:ReasonB',
      ),
    );
    if (Buffer.byteLength(text('reason')) > LONGEST_REASON) problems.tooLong(`${at}.reason`, LONGEST_REASON);
  }
  if (Buffer.byteLength(text('message')) > LONGEST_MESSAGE) problems.tooLong(`${at}.message`, LONGEST_MESSAGE);
}
