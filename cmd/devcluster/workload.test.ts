import { resolve } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { type ApiServer, createApiServer } from '#pkg/apiserver';

import { DevclusterError } from './errors.ts';
import { apply, deploymentOf, isRolledOut, readManifests, setImage } from './workload.ts';

const SAMPLE = resolve(import.meta.dirname, '../../deploy/samples/web.yaml');

let server: ApiServer;
beforeEach(() => {
  server = createApiServer();
});
afterEach(() => server.close());

describe('the sample', () => {
  test('is applied, twice as well as once, and its image changed', async () => {
    const manifests = readManifests(SAMPLE);
    expect(await apply(server, manifests)).toEqual(['deployment.apps/web', 'service/web']);
    expect(await apply(server, manifests)).toEqual(['deployment.apps/web', 'service/web']);
    await setImage(server, 'web', 'web', 'registry.example/web:2');
    expect(deploymentOf(server, 'web')).toMatchObject({
      metadata: { generation: 2 },
      spec: { template: { spec: { containers: [{ name: 'web', image: 'registry.example/web:2' }] } } },
    });
  });

  test("that cannot be applied is refused with the server's words", async () => {
    const manifest = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'Not_A_Name' } };
    await expect(apply(server, [manifest])).rejects.toThrow(DevclusterError);
    await expect(apply(server, [{ ...manifest, kind: 'Nothing' }])).rejects.toThrow(
      'there is no kind Nothing in apps/v1',
    );
    expect(() => readManifests('/nowhere.yaml')).toThrow('--sample: cannot read /nowhere.yaml');
  });
});

const whole = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3 };

describe('a rollout is complete', () => {
  test.each([
    ['when all are new and available', whole, true],
    ['not before the controller has seen the change', { ...whole, observedGeneration: 1 }, false],
    ['not while some are to be updated', { ...whole, updatedReplicas: 2 }, false],
    ['not while old ones are there', { ...whole, replicas: 4 }, false],
    ['not before all are available', { ...whole, availableReplicas: 2 }, false],
  ])('%s', (_, status, complete) => {
    expect(isRolledOut({ metadata: { name: 'web', generation: 2 }, spec: { replicas: 3 }, status })).toBe(complete);
  });
});
