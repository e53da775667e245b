import { beforeEach, describe, expect, test } from 'vitest';

import { ApiError } from '#pkg/api';
import type { Client, RawRequest, Transport, TransportRequest } from '#pkg/client';
import { silentLogger } from '#pkg/log';
import { FakeClock } from '#pkg/testing';

import { TokenSource, withTokens } from './service-account-tokens.ts';

let clock: FakeClock;
let asked: string[];
let answer: (path: string) => unknown;
let issued: number;

beforeEach(() => {
  clock = new FakeClock();
  asked = [];
  issued = 0;
  answer = token;
});

/** A new token, valid for an hour. */
function token(): unknown {
  issued++;
  return { status: { token: `t${issued}`, expirationTimestamp: new Date(clock.now() + 3_600_000).toISOString() } };
}

function source(): TokenSource {
  const client: Client = {
    resource: () => {
      throw new Error('only raw requests');
    },
    request: <R>(request: RawRequest) => {
      asked.push(request.path.split('/').slice(-2).join('/'));
      return new Promise<R>((resolve) => resolve(answer(request.path) as R));
    },
  };
  return new TokenSource({ client, serviceAccount: 'job-controller', clock, random: () => 0, log: silentLogger });
}

const refused = (code: number, reason: string): ApiError =>
  new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    code,
    reason,
    message: reason,
  } as ConstructorParameters<typeof ApiError>[0]);

describe('tokens', () => {
  test('are asked for once and kept for four fifths of their life', async () => {
    const tokens = source();
    expect(await Promise.all([tokens.token(), tokens.token()])).toEqual(['t1', 't1']);
    await clock.step(2_879_000);
    expect(await tokens.token()).toBe('t1');
    await clock.step(1001);
    expect(await tokens.token()).toBe('t2');
    expect(asked).toEqual(['job-controller/token', 'job-controller/token']);
  });

  test('make the account where it is missing', async () => {
    let made = false;
    answer = (path) => {
      if (path.endsWith('/serviceaccounts')) made = true;
      else if (!made) throw refused(404, 'NotFound');
      return token();
    };
    await source().token();
    expect(asked).toEqual(['job-controller/token', 'kube-system/serviceaccounts', 'job-controller/token']);
  });

  test('are tried for some times', async () => {
    answer = () => {
      throw new Error('away');
    };
    const failing = source()
      .token()
      .catch((error: unknown) => (error as Error).message);
    await clock.step(60_000);
    expect(await failing).toBe('cannot get a token for the service account kube-system/job-controller: away');
    expect(asked).toHaveLength(4);
  });
});

describe('a transport with tokens', () => {
  const seen: (string | undefined)[] = [];
  const sent: TransportRequest = { method: 'POST', path: '/x', headers: { accept: 'y' }, lane: 'write' };

  function inner(statuses: number[]): Transport {
    return {
      roundTrip: (request) => {
        seen.push(request.headers['authorization']);
        return Promise.resolve({ status: statuses.shift() ?? 200, headers: {}, body: (async function* () {})() });
      },
      close: () => Promise.resolve(),
    };
  }

  beforeEach(() => void seen.splice(0));

  test('replaces a refused one and asks once more', async () => {
    const response = await withTokens(inner([401, 200]), source(), () => {}).roundTrip(sent);
    expect(response.status).toBe(200);
    expect(seen).toEqual(['Bearer t1', 'Bearer t2']);
    expect((await withTokens(inner([401, 401, 200]), source(), () => {}).roundTrip(sent)).status).toBe(401);
  });

  test('asks the fence when the token is there', async () => {
    const tokens = withTokens(inner([]), source(), () => {
      throw new Error('fenced off');
    });
    await expect(tokens.roundTrip(sent)).rejects.toThrow('fenced off');
    await expect(tokens.roundTrip({ ...sent, method: 'GET' })).resolves.toMatchObject({ status: 200 });
    expect(seen).toHaveLength(1);
  });
});
