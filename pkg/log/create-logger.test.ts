import { describe, expect, test } from 'vitest';

import type { Clock } from '#pkg/base';

import { type LoggerOptions, type RootLogger, createLogger } from './create-logger.ts';

const clock: Clock = {
  now: () => Date.UTC(2026, 10, 22, 11, 1, 2, 345),
  monotonic: () => 0,
  setTimeout: () => ({ cancel: () => {} }),
};

function capture(options: LoggerOptions = {}): { log: RootLogger; lines: string[] } {
  const lines: string[] = [];
  const log = createLogger({
    clock,
    pid: 1234,
    output: { write: (line: string) => void lines.push(line) },
    ...options,
  });
  return { log, lines };
}

/** Without the time of day, which is the machine's zone's, and the line number. */
function stable(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/\d{4} \d\d:\d\d:\d\d/, 'DATE').replace(/\.ts:\d+/, '.ts:N'));
}

describe('text', () => {
  test("has klog's header, quoted message and fields", () => {
    const { log, lines } = capture();
    log.info('Scaled "up"', { replicaSet: 'default/web-1', replicas: 3, done: true, missing: undefined, none: null });
    expect(stable(lines)).toEqual([
      String.raw`IDATE.345000    1234 create-logger.test.ts:N] "Scaled \"up\"" replicaSet="default/web-1" replicas=3 done=true missing=<nil> none=<nil>` +
        '\n',
    ]);
  });

  test('marks severities and prints an error with its causes', () => {
    const { log, lines } = capture();
    log.warning('Late');
    log.error('Cannot list', new Error('refused', { cause: new Error('ECONNREFUSED') }), { resource: 'pods' });
    log.error('No error beside it');
    expect(stable(lines).map((line) => line.replace(/DATE.*?\] /, ''))).toEqual([
      'W"Late"\n',
      'E"Cannot list" err="refused: ECONNREFUSED" resource="pods"\n',
      'E"No error beside it"\n',
    ]);
  });

  test('sets text of several lines as a block', () => {
    const { log, lines } = capture();
    log.info('Diff', { diff: 'a\nb' });
    expect(lines[0]).toContain('diff=<\n\ta\n\tb\n >\n');
  });

  test('one entry never makes two lines, whatever the message holds', () => {
    const { log, lines } = capture();
    log.info('a\nb\u2028c\u0000', { x: 'tab\there' });
    expect(lines[0]!.trimEnd().split('\n')).toHaveLength(1);
    expect(lines[0]).toContain(String.raw`"a\nb\u2028c\x00" x="tab\there"`);
  });
});

describe('json', () => {
  test('has the keys of component-base, in their order', () => {
    const { log, lines } = capture({ format: 'json', verbosity: 2 });
    log.v(2)?.info('Synced', { key: 'default/web', list: ['a'], error: new Error('inner') });
    log.error('Failed', new Error('boom'), { n: 1 });
    const site = { caller: expect.stringMatching(/^create-logger\.test\.ts:\d+$/) };
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { ts: clock.now(), ...site, msg: 'Synced', v: 2, key: 'default/web', list: ['a'], error: 'inner' },
      { ts: clock.now(), ...site, msg: 'Failed', err: 'boom', n: 1 },
    ]);
    expect(Object.keys(JSON.parse(lines[0]!))).toEqual(['ts', 'caller', 'msg', 'v', 'key', 'list', 'error']);
  });
});

describe('values', () => {
  test('objects of the API appear by name only', () => {
    const { log, lines } = capture();
    const secret = { kind: 'Secret', metadata: { namespace: 'kube-system', name: 'key' }, data: { k: 'c2VjcmV0' } };
    log.info('Seen', {
      secret,
      list: [secret],
      pair: { namespace: 'a', name: 'b' },
      node: { metadata: { name: 'n1' } },
    });
    // The list of a secret is under a harmless name; the first is hidden for its own.
    expect(lines[0]).toContain('secret="[redacted]" list=["kube-system/key"] pair="a/b" node="n1"');
    expect(lines[0]).not.toContain('c2VjcmV0');
  });

  test.each(['token', 'Authorization', 'client-key-data', 'password', 'id-token-data'])(
    '%s is hidden at any depth',
    (name) => {
      const { log, lines } = capture({ format: 'json' });
      log.info('Config', { [name]: 'hunter2', deep: { er: [{ [name]: 'hunter2' }] } });
      expect(lines[0]).not.toContain('hunter2');
    },
  );

  test('what cannot be printed does not throw', () => {
    const { log, lines } = capture();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    log.info('Circle', { circle, big: 10n });
    expect(lines[0]).toMatch(/circle=.*big="10"/s);
  });
});

describe('verbosity', () => {
  test('v gates by -v, and what is not logged gives nothing', () => {
    const { log, lines } = capture({ verbosity: 2 });
    expect(log.v(3)).toBeUndefined();
    log.v(2)?.info('in');
    expect(lines).toHaveLength(1);
    log.setVerbosity(4);
    expect(log.with({ a: 1 }).v(4)).toBeDefined();
  });

  test.each([
    ['deployment-controller', 5, true],
    ['deployment-controller', 6, false],
    ['replicaset-controller', 1, false],
    ['leaderelection', 9, true],
  ])('vmodule: %s at %i logs: %s', (logger, level, logs) => {
    const vmodule = [
      { pattern: 'deployment_c*', verbosity: 5 },
      { pattern: 'leader?lection', verbosity: 9 },
    ];
    const { log } = capture({ vmodule });
    expect(log.with({ logger }).v(level) !== undefined).toBe(logs);
  });

  test('the name goes on to loggers made from it', () => {
    const { log, lines } = capture({ vmodule: [{ pattern: 'a', verbosity: 3 }] });
    log.with({ logger: 'a' }).with({ key: 'k' }).v(3)?.info('x', { key: 'own' });
    expect(lines[0]).toContain('"x" logger="a" key="own"');
  });
});
