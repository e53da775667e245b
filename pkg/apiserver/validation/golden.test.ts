import { describe, expect, it } from 'vitest';
import { answers } from '../../../test/golden/apiserver/answers.ts';
import { bad } from '../../../test/golden/apiserver/scenarios/refusals.ts';
import { decodeObject, decodePatched } from '../decode/index.ts';
import { applyDefaults } from '../defaults/index.ts';
import { type JsonObject, cloneJson, ensureObject, listAt, objectAt, stringAt } from '../json.ts';
import { mergePatch } from '../patch/index.ts';
import { schemaFor, servedResources } from '../schema/index.ts';
import { prepareForCreate, prepareForUpdate } from '../strategies/index.ts';
import { invalidStatus, validateCreate, validateUpdate } from './index.ts';

const STRICT = { strict: 'Strict' } as const;
const UID = 'b5eea5cd-92d2-4741-8459-a1c27251bac5';

/** Accepted by a real server, or refused for what needs a view of other objects. */
const ELSEWHERE = new Set(['services change cluster address']);

interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** A cause without the value it quotes where that is an object, which upstream prints as its own Go types have it. */
function comparable(cause: Cause): Cause {
  const bare = cause.message
    .replace(/^((?:Invalid|Unsupported|Duplicate) value: )[{[].*[}\]](: |$)/, '$1...$2')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'uid');
  return { ...cause, message: bare.split('\n')[0]! };
}

function refusalOf(name: string): { code: number; causes: Cause[] } {
  const answer = answers[`refuse ${name}`]!.at(-1)!;
  const details = objectAt(answer.body, 'details');
  return {
    code: answer.code < 300 ? 200 : answer.code,
    causes: (listAt(details, 'causes') as unknown as Cause[]).map(comparable),
  };
}

function judge(refusal: (typeof bad)[number]): { code: number; causes: Cause[]; message?: string } {
  const { resource, body, change } = refusal;
  const type = servedResources().find(
    (one) => one.resource === resource && `${one.group}/${one.version}`.replace(/^\//, '') === body['apiVersion'],
  )!;
  const schema = schemaFor(type.group, type.version, type.kind)!;
  const { object } = decodeObject(schema, JSON.stringify(body), STRICT);
  applyDefaults(type.group, type.version, type.kind, object);
  const metadata = ensureObject(object, 'metadata');
  metadata['uid'] = UID;
  const base = stringAt(metadata, 'generateName');
  if (base !== undefined) metadata['name'] = `${base}rvr56`;
  prepareForCreate(type, object);
  let errors = validateCreate(type, object);
  if (change !== undefined) {
    if (errors.length > 0) throw new Error(`what is to be changed is refused itself: ${JSON.stringify(errors)}`);
    // What the registry allocated for the object to be changed.
    if (type.kind === 'Service') ensureObject(object, 'spec')['clusterIPs'] = ['None'];
    const changed = decodePatched(schema, mergePatch(object, change), STRICT).object;
    applyDefaults(type.group, type.version, type.kind, changed);
    prepareForUpdate(type, changed, cloneJson(object));
    errors = validateUpdate(type, changed, object);
  }
  const status = invalidStatus(type, stringAt(metadata, 'name') ?? '', errors);
  const causes = (status.details?.causes ?? []) as readonly Cause[];
  return { code: errors.length === 0 ? 200 : 422, causes: causes.map(comparable), message: status.message ?? '' };
}

const byField = (a: Cause, b: Cause): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

describe('refusals, against a real API server', () => {
  it.each(bad.filter(({ name }) => !ELSEWHERE.has(name)))('$name', (refusal) => {
    const recorded = refusalOf(refusal.name);
    const got = judge(refusal);
    // Upstream checks some things twice, which its message hides and its causes do not.
    const once = (causes: readonly Cause[]): Cause[] =>
      Array.from(new Map(causes.map((cause) => [JSON.stringify(cause), cause])).values());
    const seen = ({ code, causes }: { code: number; causes: Cause[] }): unknown => ({
      code,
      causes: once(causes).toSorted(byField),
    });
    expect(seen(got)).toEqual(seen(recorded));
  });

  it('words a single one and several as upstream does', () => {
    const message = (name: string): unknown => (answers[`refuse ${name}`]!.at(-1)!.body as JsonObject)['message'];
    for (const name of [
      'deployments selector mismatch',
      'pods grouped errors',
      'deployments no spec',
      'configmaps key twice',
      'pods port high',
    ]) {
      expect(judge(bad.find((one) => one.name === name)!).message).toBe(message(name));
    }
  });
});
