import { describe, expect, it } from 'vitest';
import { ApiError } from '#pkg/api';
import { answers } from '../../../test/golden/apiserver/answers.ts';
import { type Scenario, type Step, namespaceOf } from '../../../test/golden/apiserver/scenarios.ts';
import { applies } from '../../../test/golden/apiserver/scenarios/applies.ts';
import { creations } from '../../../test/golden/apiserver/scenarios/creates.ts';
import { updates } from '../../../test/golden/apiserver/scenarios/updates.ts';
import { decodeObject, decodePatched } from '../decode/index.ts';
import { applyDefaults } from '../defaults/index.ts';
import { type JsonObject, cloneJson, ensureObject, listAt } from '../json.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from '../patch/index.ts';
import { type ObjectType, schemaFor, servedResources } from '../schema/index.ts';
import { prepareForUpdate } from '../strategies/index.ts';
import { apply, trackUpdate } from './index.ts';

const TIME = '2030-01-01T00:00:00Z';
const WARN = { strict: 'Warn' } as const;

function withoutTimes(object: JsonObject | undefined): unknown[] {
  // Their order hangs on times that the recording cannot fix.
  const entries = listAt(object?.['metadata'], 'managedFields').map((entry) => {
    const { time: _, ...rest } = entry as JsonObject;
    return rest;
  });
  const key = ({ manager, operation, subresource }: JsonObject): string =>
    JSON.stringify([manager, operation, subresource]);
  return entries.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function typeOf(path: string): { type: ObjectType; subresource: string | undefined } {
  const parts = path.split('?')[0]!.split('/').slice(1);
  const [group, version, rest] =
    parts[0] === 'api' ? ['', parts[1]!, parts.slice(2)] : [parts[1]!, parts[2]!, parts.slice(3)];
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(2) : rest;
  const type = servedResources().find(
    (one) => one.group === group && one.version === version && one.resource === inNamespace[0],
  )!;
  return { type, subresource: inNamespace[2] };
}

/** What the handler does with a request, as far as ownership goes. */
function write(step: Step, live: JsonObject | undefined): JsonObject {
  const { type, subresource } = typeOf(step.path);
  const schema = schemaFor(type.group, type.version, type.kind)!;
  const url = new URL(step.path, 'http://server');
  const manager = url.searchParams.get('fieldManager') ?? (step.agent ?? 'golden/1').split('/')[0]!;
  const place = {
    ...(live === undefined ? {} : { live }),
    ...(subresource === undefined ? {} : { subresource }),
    schema,
    manager,
    time: TIME,
  };
  let object: JsonObject;
  if (step.type === 'application/apply-patch+yaml') {
    const applied = apply({ ...place, config: step.body as JsonObject, force: url.searchParams.has('force') });
    object = decodePatched(schema, applied.object, WARN).object;
    applyDefaults(type.group, type.version, type.kind, object);
  } else {
    object = changed(step, live, type);
    applyDefaults(type.group, type.version, type.kind, object);
    const managedFields = trackUpdate({ ...place, object });
    const metadata = ensureObject(object, 'metadata');
    delete metadata['managedFields'];
    if (managedFields.length > 0) metadata['managedFields'] = managedFields;
  }
  if (live !== undefined) prepareForUpdate(type, object, cloneJson(live), subresource);
  return object;
}

function changed(step: Step, live: JsonObject | undefined, type: ObjectType): JsonObject {
  const schema = schemaFor(type.group, type.version, type.kind)!;
  const full = { apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}`, kind: type.kind };
  switch (step.type) {
    case 'application/merge-patch+json':
      return decodePatched(schema, mergePatch(live!, step.body), WARN).object;
    case 'application/strategic-merge-patch+json':
      return decodePatched(schema, strategicMergePatch(schema, live!, step.body), WARN).object;
    case 'application/json-patch+json':
      return decodePatched(schema, jsonPatch(live!, step.body), WARN).object;
    default:
      return { ...full, ...decodeObject(schema, JSON.stringify(step.body), WARN).object };
  }
}

function replay(scenario: Scenario): void {
  const got: unknown[] = [];
  const wanted: unknown[] = [];
  let live: JsonObject | undefined;
  for (const [index, step] of scenario.steps(namespaceOf(scenario)).entries()) {
    const answer = answers[scenario.name]![index]!;
    const body = answer.body as JsonObject;
    const at = { index, body: step.body };
    // What validation refuses is not told from here.
    if (answer.code === 422) continue;
    if (answer.code >= 300) {
      got.push({ at, error: refusalOf(() => write(step, live)) });
      wanted.push({ at, error: body['message'] });
      continue;
    }
    const object = write(step, live);
    const content = (one: JsonObject): unknown =>
      live === undefined ? undefined : { spec: one['spec'], data: one['data'] };
    got.push({ at, managed: withoutTimes(object), content: content(object) });
    wanted.push({ at, managed: withoutTimes(body), content: content(body) });
    // uid tells a stored object from a new one; the recording left it out.
    live = { ...body, metadata: { ...(body['metadata'] as JsonObject), uid: 'u' } };
  }
  expect(got).toEqual(wanted);
}

function refusalOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}

describe('managed fields, against a real API server', () => {
  it.each(creations)('of a new $name', ({ name, body }) => {
    const kind = String(body['kind']);
    const type = servedResources().find(
      (one) => one.kind === kind && `${one.group}/${one.version}`.replace(/^\//, '') === body['apiVersion'],
    )!;
    const schema = schemaFor(type.group, type.version, kind)!;
    const { object } = decodeObject(schema, JSON.stringify(body), WARN);
    applyDefaults(type.group, type.version, kind, object);
    const managed = trackUpdate({ schema, object, manager: 'golden', time: TIME });
    const recorded = answers[`create ${name}`]![0]!.body as JsonObject;
    expect(withoutTimes({ metadata: { managedFields: managed } })).toEqual(withoutTimes(recorded));
  });

  it.each(updates)('$name', replay);
  it.each(applies)('$name', replay);
});
