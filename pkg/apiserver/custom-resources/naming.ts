import { semanticEqual } from '#pkg/base';
import { type JsonObject, cloneJson, ensureObject, objectsAt } from '../json.ts';
import { type Definition, type Names, conditionOf } from './definition.ts';

export interface Condition {
  readonly type: 'NamesAccepted' | 'Established' | 'Terminating';
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

/** Sets a condition; in place. Its time moves only with its status. */
export function setCondition(object: JsonObject, condition: Condition, time: string): void {
  const status = ensureObject(object, 'status');
  const conditions = objectsAt(status, 'conditions');
  const before = conditions.find((one) => one['type'] === condition.type);
  const lastTransitionTime = before?.['status'] === condition.status ? before['lastTransitionTime'] : time;
  // In the order in which Go writes the fields.
  const { type, status: value, reason, message } = condition;
  const after: JsonObject = { type, status: value, lastTransitionTime, reason, message };
  status['conditions'] =
    before === undefined ? [...conditions, after] : conditions.map((one) => (one === before ? after : one));
}

/** Names that other definitions of the group hold. */
export interface TakenNames {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

export function takenNames(others: readonly Definition[]): TakenNames {
  const resources = new Set(
    others.flatMap(({ accepted }) => [accepted.plural, accepted.singular, ...accepted.shortNames]),
  );
  const kinds = new Set(others.flatMap(({ accepted }) => [accepted.kind, accepted.listKind]));
  return { resources, kinds };
}

/**
 * Accepts the names that a definition asks for as far as nobody else holds them (`pkg/controller/status`). Returns the changed
 * object; undefined where nothing changes.
 */
export function acceptNames(
  object: Readonly<JsonObject>,
  definition: Definition,
  taken: TakenNames,
  time: string,
): JsonObject | undefined {
  const { requested, accepted } = definition;
  if (semanticEqual(requested, accepted)) return undefined;
  const conflicts: { reason: string; message: string }[] = [];
  const settle = (wanted: string, held: string, others: ReadonlySet<string>, reason: string): string => {
    if (wanted === held || !others.has(wanted)) return wanted;
    conflicts.push({ reason, message: `${JSON.stringify(wanted)} is already in use` });
    return held;
  };
  const names: Names = {
    plural: settle(requested.plural, accepted.plural, taken.resources, 'PluralConflict'),
    singular: settle(requested.singular, accepted.singular, taken.resources, 'SingularConflict'),
    shortNames: settleShortNames(requested, accepted, taken, conflicts),
    kind: settle(requested.kind, accepted.kind, taken.kinds, 'KindConflict'),
    listKind: settle(requested.listKind, accepted.listKind, taken.kinds, 'ListKindConflict'),
    categories: requested.categories,
  };
  // The last conflict found is the one that is told.
  const conflict = conflicts.at(-1);
  const namesAccepted: Condition =
    conflict === undefined
      ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
      : { type: 'NamesAccepted', status: 'False', ...conflict };
  const before = conditionOf(object, 'NamesAccepted');
  const same =
    before?.['status'] === namesAccepted.status &&
    before['reason'] === namesAccepted.reason &&
    before['message'] === namesAccepted.message;
  if (same && semanticEqual(names, accepted)) return undefined;

  const changed = cloneJson<JsonObject>(object);
  ensureObject(changed, 'status')['acceptedNames'] = writeNames(names);
  setCondition(changed, namesAccepted, time);
  if (!definition.established) {
    const words =
      conflict === undefined
        ? { reason: 'Installing', message: 'the initial names have been accepted' }
        : { reason: 'NotAccepted', message: 'not all names are accepted' };
    setCondition(changed, { type: 'Established', status: 'False', ...words }, time);
  }
  return changed;
}

function settleShortNames(
  requested: Names,
  accepted: Names,
  taken: TakenNames,
  conflicts: { reason: string; message: string }[],
): readonly string[] {
  const used = requested.shortNames.filter((name) => !accepted.shortNames.includes(name) && taken.resources.has(name));
  if (used.length === 0) return requested.shortNames;
  const messages = used.map((name) => `${JSON.stringify(name)} is already in use`);
  conflicts.push({
    reason: 'ShortNamesConflict',
    message: messages.length === 1 ? messages[0]! : `[${messages.join(', ')}]`,
  });
  return accepted.shortNames;
}

function writeNames({ plural, singular, shortNames, kind, listKind, categories }: Names): JsonObject {
  return {
    plural,
    ...(singular === '' ? {} : { singular }),
    ...(shortNames.length === 0 ? {} : { shortNames: [...shortNames] }),
    kind,
    ...(listKind === '' ? {} : { listKind }),
    ...(categories.length === 0 ? {} : { categories: [...categories] }),
  };
}
