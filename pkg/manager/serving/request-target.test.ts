import { describe, expect, test } from 'vitest';

import { parseTarget } from './request-target.ts';

describe('a request target', () => {
  test.each<[string, string, string]>([
    ['/healthz', '/healthz', ''],
    ['/healthz?verbose&exclude=a%20b', '/healthz', 'verbose=&exclude=a+b'],
    ['//', '//', ''],
    ['//healthz', '//healthz', ''],
    ['/x/../healthz', '/x/../healthz', ''],
    ['/./healthz', '/./healthz', ''],
    ['/%68ealthz', '/healthz', ''],
    ['/a%2Fb', '/a/b', ''],
    ['/a+b', '/a+b', ''],
    ['/%ff', '/\ufffd', ''],
    ['/j%C3%BCrgen', '/jürgen', ''],
    ['/healthz#x', '/healthz#x', ''],
    ['*', '*', ''],
    ['http://', '', ''],
    ['http://host', '', ''],
    ['https://host:1/healthz?x', '/healthz', 'x='],
    ['http://user:secret@host/healthz', '/healthz', ''],
    ['http://[::1]:80/healthz', '/healthz', ''],
    ['mailto:jane', '', ''],
    ['http:/healthz', '/healthz', ''],
  ])('%s is the path %j', (raw, path, query) => {
    const target = parseTarget('GET', raw);
    expect([target?.path, target?.query.toString()]).toEqual([path, query]);
  });

  test.each(['', 'healthz', '/%', '/%zz', '/a\u0001', ':', 'http://a b/', 'http://host:port/', 'http://[::1/', '%'])(
    '%j is none',
    (raw) => {
      expect(parseTarget('GET', raw)).toBeUndefined();
    },
  );

  test('CONNECT names an authority and no path', () => {
    expect(parseTarget('CONNECT', 'host:80')?.path).toBe('');
    expect(parseTarget('CONNECT', '/healthz')?.path).toBe('/healthz');
    expect(parseTarget('CONNECT', 'host:name')).toBeUndefined();
  });
});
