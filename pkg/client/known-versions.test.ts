import { expect, test } from 'vitest';

import { ApiError, type ReplicaSet, resources } from '#pkg/api';
import { FakeClock, failureOf, replicaSet, settle } from '#pkg/testing';

import type { Client, ResourceClient } from './client.ts';
import { KnownVersions } from './known-versions.ts';

const { replicaSets } = resources;

/** A server with one ReplicaSet, which answers when it is told to. */
function world() {
  const clock = new FakeClock();
  let version = 7;
  const requests: string[] = [];
  let gate = Promise.resolve();
  const put =
    (verb: string) =>
    async (object: ReplicaSet): Promise<ReplicaSet> => {
      requests.push(`${verb} ${object.metadata.resourceVersion}`);
      await gate;
      if (object.metadata.resourceVersion !== String(version))
        throw new ApiError({ status: 'Failure', code: 409, reason: 'Conflict' });
      return { ...object, metadata: { ...object.metadata, resourceVersion: String(++version) } };
    };
  const server: Client = {
    resource: () => ({ update: put('update'), updateStatus: put('status') }) as unknown as ResourceClient<never>,
    request: () => Promise.reject(new Error('unexpected')),
  };
  const versions = new KnownVersions(clock);
  const client = (): ResourceClient<ReplicaSet> => versions.guard(server).resource(replicaSets);
  const close = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    return resolve;
  };
  return { clock, client, requests, close, restore: (to: number) => void (version = to) };
}

const at = (version: number, uid = 'u1'): ReplicaSet =>
  replicaSet({ metadata: { uid, resourceVersion: String(version) } });
const versionOf = async (written: Promise<ReplicaSet>): Promise<string> => (await written).metadata.resourceVersion;

test('what another client has written is not written over, and costs no request', async () => {
  const { client, requests } = world();
  expect(await versionOf(client().update(at(7)))).toBe('8');
  await expect(client().updateStatus(at(7))).rejects.toMatchObject({
    code: 'Conflict',
    message:
      'Operation cannot be fulfilled on replicasets.apps "web-1": the object has been modified; please apply your changes to the latest version and try again',
  });
  expect(await versionOf(client().updateStatus(at(8)))).toBe('9');
  expect(requests).toEqual(['update 7', 'status 8']);
});

test('a write waits for the answer of another that is under way', async () => {
  const { client, requests, close } = world();
  const open = close();
  const first = client().update(at(7));
  const second = client().updateStatus(at(7));
  const refused = failureOf(second);
  const other = client().update(at(7, 'u2'));
  const failed = failureOf(other);
  await settle();
  expect(requests).toEqual(['update 7', 'update 7']);
  open();
  expect(await versionOf(first)).toBe('8');
  expect(await Promise.all([refused, failed])).toMatchObject([{ code: 'Conflict' }, { code: 'Conflict' }]);
  expect(requests).toHaveLength(2);
});

test('a refusal is remembered by nobody: whoever waited asks for itself', async () => {
  const { client, requests, close } = world();
  const open = close();
  const first = client().update(at(6));
  const refused = failureOf(first);
  const second = client().updateStatus(at(7));
  open();
  expect(await refused).toMatchObject({ code: 'Conflict' });
  expect(await versionOf(second)).toBe('8');
  expect(requests).toEqual(['update 6', 'status 7']);
});

test('after a while the server is asked again, as it may have been set back', async () => {
  const { client, clock, requests, restore } = world();
  await client().update(at(7));
  restore(5);
  await expect(client().update(at(5))).rejects.toMatchObject({ code: 'Conflict' });
  await clock.step(10_000);
  expect(await versionOf(client().update(at(5)))).toBe('6');
  expect(requests).toEqual(['update 7', 'update 5']);
});
