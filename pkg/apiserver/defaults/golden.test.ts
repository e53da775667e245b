import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { answers } from '../../../test/golden/apiserver/answers.ts';
import { creations } from '../../../test/golden/apiserver/scenarios/creates.ts';
import { decodeObject } from '../decode/index.ts';
import { type JsonObject, cloneJson, ensureObject } from '../json.ts';
import { schemaFor, servedResources } from '../schema/index.ts';
import { prepareForCreate } from '../strategies/index.ts';
import { applyDefaults } from './index.ts';

const TIME = '2026-01-01T00:00:00Z';
/** A time that the server chose. */
const timeless = (object: JsonObject): JsonObject =>
  JSON.parse(JSON.stringify(object).replace(/("lastTransitionTime":)"[^"]*"/g, `$1"${TIME}"`)) as JsonObject;

/** What admission and allocation add, which need to see other objects. */
const ADDED: Readonly<Record<string, readonly string[]>> = {
  Pod: ['spec.priority', 'spec.preemptionPolicy', 'spec.tolerations'],
  Service: ['spec.clusterIP', 'spec.clusterIPs', 'spec.ipFamilies', 'spec.ipFamilyPolicy'],
  PersistentVolumeClaim: ['metadata.finalizers'],
  PersistentVolume: ['metadata.finalizers', 'status.lastPhaseTransitionTime'],
  Node: ['spec.taints'],
  Event: ['involvedObject.namespace'],
};

function without(object: JsonObject, paths: readonly string[]): JsonObject {
  const copy = cloneJson(object);
  for (const path of paths) {
    const keys = path.split('.');
    let parent = copy;
    for (const key of keys.slice(0, -1)) parent = ensureObject(parent, key);
    delete parent[keys.at(-1)!];
  }
  return copy;
}

describe('what a create makes of an object, against a real API server', () => {
  it.each(creations)('$name', ({ name, resource, body }) => {
    const apiVersion = String(body['apiVersion']);
    const type = servedResources().find(
      (one) => one.resource === resource && `${one.group}/${one.version}`.replace(/^\//, '') === apiVersion,
    )!;
    const { object } = decodeObject(schemaFor(type.group, type.version, type.kind)!, JSON.stringify(body), {
      strict: 'Strict',
    });
    applyDefaults(type.group, type.version, type.kind, object);
    prepareForCreate(type, object, { time: TIME });

    const expected = answers[`create ${name}`]![0]!.body as JsonObject;
    const ignored = [...(ADDED[type.kind] ?? []), 'metadata.managedFields', 'metadata.namespace'];
    expect(without(object, ignored)).toEqual(timeless(without(expected, ignored)));
  });

  it('changes nothing when it is applied again', () => {
    const changed = creations.filter(({ name, resource }) => {
      const type = servedResources().find((one) => one.resource === resource)!;
      const stored = answers[`create ${name}`]![0]!.body as JsonObject;
      const again = cloneJson(stored);
      applyDefaults(type.group, type.version, type.kind, again);
      return !isDeepStrictEqual(again, stored);
    });
    expect(changed).toEqual([]);
  });
});
