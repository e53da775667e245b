import { beforeEach, describe, expect, test } from 'vitest';

import { silentLogger } from '#pkg/log';

import { HealthMetrics } from './health-metrics.ts';
import { HealthChecks } from './health.ts';
import { testRequest } from './test-request.fixture.ts';

let broken: boolean;
let metrics: HealthMetrics;
let health: HealthChecks;

beforeEach(() => {
  broken = false;
  metrics = new HealthMetrics();
  health = new HealthChecks({ metrics, log: silentLogger });
});

function fill(): void {
  health.add({ name: 'leaderElection', check: () => {} });
  health.add({
    name: 'deployment-controller',
    check: () => (broken ? Promise.reject(new Error('the reason')) : Promise.resolve()),
  });
}

const ask = (path: string): ReturnType<HealthChecks['answer']> => health.answer('healthz', testRequest(path));

describe('health', () => {
  test('is well with no check at all', async () => {
    expect(await ask('/healthz?verbose')).toMatchObject({ status: 200, body: '[+]ping ok\nhealthz check passed\n' });
  });

  test.each<[string, boolean, number, string]>([
    ['/healthz', false, 200, 'ok'],
    ['/healthz?verbose', false, 200, '[+]leaderElection ok\n[+]deployment-controller ok\nhealthz check passed\n'],
    [
      '/healthz',
      true,
      500,
      '[+]leaderElection ok\n[-]deployment-controller failed: reason withheld\nhealthz check failed\n',
    ],
    ['/healthz?exclude=deployment-controller', true, 200, 'ok'],
    [
      '/healthz?exclude=deployment-controller&verbose',
      true,
      200,
      '[+]leaderElection ok\n[+]deployment-controller excluded: ok\nhealthz check passed\n',
    ],
    [
      '/healthz?verbose&exclude=x&exclude=a',
      false,
      200,
      '[+]leaderElection ok\n[+]deployment-controller ok\nwarn: some health checks cannot be excluded: no matches for "a","x"\nhealthz check passed\n',
    ],
    ['/healthz/leaderElection', true, 200, 'ok'],
    ['/healthz/deployment-controller', true, 500, 'internal server error: the reason\n'],
    ['/healthz/nobody', false, 404, '404 page not found\n'],
  ])('%s, broken: %s', async (path, isBroken, status, body) => {
    fill();
    broken = isBroken;
    expect(await ask(path)).toMatchObject({ status, body });
  });

  test('counts by check and path', async () => {
    fill();
    await ask('/healthz');
    broken = true;
    await ask('/healthz');
    await health.answer('readyz', testRequest('/readyz'));
    const lines = (await metrics.expose()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'kubernetes_healthcheck{name="deployment-controller",type="healthz"} 0',
        'kubernetes_healthcheck{name="leaderElection",type="readyz"} 1',
        'kubernetes_healthchecks_total{name="deployment-controller",type="healthz",status="success"} 1',
        'kubernetes_healthchecks_total{name="deployment-controller",type="healthz",status="error"} 1',
      ]),
    );
    metrics.reset();
    expect(await metrics.expose()).not.toContain('type="healthz"');
  });
});
