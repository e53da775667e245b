import { describe, expect, test } from 'vitest';

import type { CronJob, Job } from '#pkg/api';
import { deepFreeze } from '#pkg/base';

import { decideCleanup, decideStart, decideStatus } from './decide.ts';
import { jobFor } from './job.ts';
import { lookBack, untilNext } from './missed.ts';
import { scheduleOf } from './plan.ts';

const HOURLY = '0 * * * *';

function cronJob(
  spec: Partial<CronJob['spec']> = {},
  status: CronJob['status'] = {},
  created = '2026-01-01T09:30:00Z',
): CronJob {
  return deepFreeze({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'backup', namespace: 'default', uid: 'c1', resourceVersion: '1', creationTimestamp: created },
    spec: {
      schedule: HOURLY,
      timeZone: 'UTC',
      jobTemplate: { spec: { template: { spec: { containers: [] } } } },
      concurrencyPolicy: 'Allow',
      ...spec,
    },
    status,
  } satisfies CronJob);
}

function job(name: string, end?: 'Complete' | 'Failed', at?: string): Job {
  return deepFreeze({
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T10:00:00Z',
    },
    status: {
      ...(at ? { startTime: at, completionTime: at } : {}),
      ...(end ? { conditions: [{ type: end, status: 'True' }] } : {}),
    },
  } satisfies Job);
}

const at = (clock: string): number => Date.parse(`2026-01-01T${clock}Z`);
const reference = (name: string): NonNullable<NonNullable<CronJob['status']>['active']>[number] => ({
  name,
  namespace: 'default',
  uid: `uid-${name}`,
});
const shown = (time: number | undefined): string =>
  time === undefined ? 'none' : new Date(time).toISOString().slice(11, 19);

describe('times that have come', () => {
  test.each([
    ['none yet', {}, {}, '09:59:59', 'none', 0],
    ['the first', {}, {}, '10:00:01', '10:00:00', 0],
    ['the newest of several', {}, {}, '13:30:00', '13:00:00', 4],
    ['since the last that was served', {}, { lastScheduleTime: '2026-01-01T12:00:00Z' }, '13:30:00', '13:00:00', 0],
    ['not before the deadline', { startingDeadlineSeconds: 600 }, {}, '13:30:00', 'none', 0],
    ['within the deadline', { startingDeadlineSeconds: 3600 }, {}, '13:30:00', '13:00:00', 0],
    ['on an uneven beat', { schedule: '30 6-16/4 * * 1-5' }, {}, '15:00:00', '14:30:00', 2],
    ['@every from the creation on', { schedule: '@every 7m' }, {}, '10:00:00', '09:58:00', 4],
  ])('%s', (_, spec, status, now, latest, missed) => {
    const object = cronJob(spec, status);
    const found = lookBack(object, at(now), scheduleOf(object), { withDeadline: true });
    expect([shown(found.latest), found.missed]).toEqual([latest, missed]);
  });

  test('the wait ends a little after the next time, whatever was missed', () => {
    const object = cronJob();
    expect(untilNext(object, at('09:59:00'), scheduleOf(object))).toBe(60_100);
    expect(untilNext(object, at('13:30:00'), scheduleOf(object))).toBe(1_800_100);
  });
});

describe('what is due', () => {
  const decided = (object: CronJob, now: string): string => {
    const { start, reports } = decideStart(object, at(now));
    const what = start.kind === 'start' ? `start ${shown(start.scheduled)}` : start.kind;
    return [
      what,
      ...(start.kind === 'start' ? start.replace.map(({ name }) => `replace ${name}`) : []),
      ...reports.map(({ reason }) => reason),
    ].join(', ');
  };
  const running = { active: [reference('backup-1')], lastScheduleTime: '2026-01-01T10:00:00Z' };

  test.each<[string, Partial<CronJob['spec']>, CronJob['status'], string, string]>([
    ['nothing before the time', {}, {}, '09:59:00', 'wait'],
    ['a Job at the time', {}, {}, '10:00:00', 'start 10:00:00'],
    ['late, without a deadline', {}, {}, '10:59:00', 'start 10:00:00'],
    ['never when suspended', { suspend: true }, {}, '10:00:00', 'rest'],
    ['beside one that runs', {}, running, '11:00:00', 'start 11:00:00'],
    ['not beside one that runs', { concurrencyPolicy: 'Forbid' }, running, '11:00:00', 'wait, JobAlreadyActive'],
    [
      'in the place of one that runs',
      { concurrencyPolicy: 'Replace' },
      running,
      '11:00:00',
      'start 11:00:00, replace backup-1',
    ],
    ['a time is served once', {}, { lastScheduleTime: '2026-01-01T10:00:00Z' }, '10:10:00', 'wait'],
    ['also when only its Job tells', {}, { active: [reference('backup-29454360')] }, '10:10:00', 'wait'],
    [
      'many missed: a warning, and the newest',
      { schedule: '* * * * *' },
      {},
      '12:00:00',
      'start 12:00:00, TooManyMissedTimes',
    ],
    ['a zone that is none', { timeZone: 'Mars/Base' }, {}, '10:00:00', 'rest, UnknownTimeZone'],
    ['no schedule', { schedule: 'often' }, {}, '10:00:00', 'rest, UnparseableSchedule'],
    ['a schedule without times', { schedule: '0 0 31 2 *' }, {}, '10:00:00', 'rest, InvalidSchedule'],
    [
      'a zone in the schedule',
      { schedule: 'TZ=Asia/Kolkata 30 15 * * *', timeZone: undefined },
      {},
      '10:00:00',
      'start 10:00:00, UnsupportedSchedule',
    ],
    [
      'by the clocks of its zone',
      { schedule: '30 15 * * *', timeZone: 'Asia/Kolkata' },
      {},
      '10:00:00',
      'start 10:00:00',
    ],
  ])('%s', (_, spec, status, now, expected) => {
    expect(decided(cronJob(spec, status), now)).toBe(expected);
  });

  test('too late: the deadline goes by between the look back and now', () => {
    const { start, reports } = decideStart(cronJob({ startingDeadlineSeconds: 0 }), at('10:00:00') + 1);
    expect([start.kind, reports]).toEqual(['wait', []]);
  });

  test('one under deletion starts nothing', () => {
    const object = cronJob();
    expect(
      decided({ ...object, metadata: { ...object.metadata, deletionTimestamp: '2026-01-01T09:50:00Z' } }, '10:00:00'),
    ).toBe('rest');
  });

  test('texts as upstream words them', () => {
    expect(decideStart(cronJob({ timeZone: 'Mars/Base' }), at('10:00:00')).reports[0]).toEqual({
      type: 'Warning',
      reason: 'UnknownTimeZone',
      message: 'invalid timeZone: "Mars/Base": unknown time zone Mars/Base',
    });
    expect(decideStart(cronJob({ schedule: '* * *' }), at('10:00:00')).reports[0]?.message).toBe(
      'unparseable schedule: "* * *" : expected exactly 5 fields, found 3: [* * *]',
    );
  });
});

describe('the Jobs seen', () => {
  const look = (object: CronJob, jobs: readonly Job[], gone: string[] = [], deleted: string[] = []) => {
    const { status, reports } = decideStatus({ cronJob: object, jobs, gone: new Set(gone), now: 0 }, new Set(deleted));
    return {
      active: status.active?.map(({ name }) => name) ?? [],
      success: status.lastSuccessfulTime,
      told: reports.map(({ message }) => message),
    };
  };

  test('one that completed leaves the list and sets the time', () => {
    const object = cronJob({}, { active: [reference('a'), reference('b')] });
    expect(look(object, [job('a', 'Complete', '2026-01-01T10:05:00Z'), job('b')])).toEqual({
      active: ['b'],
      success: '2026-01-01T10:05:00Z',
      told: ['Saw completed job: a, condition: Complete'],
    });
  });

  test('the newest success counts, listed or not; a failure does not', () => {
    const object = cronJob({}, { lastSuccessfulTime: '2026-01-01T10:05:00Z' });
    const jobs = [
      job('a', 'Complete', '2026-01-01T10:04:00Z'),
      job('b', 'Complete', '2026-01-01T10:06:00Z'),
      job('c', 'Failed', '2026-01-01T10:07:00Z'),
    ];
    expect(look(object, jobs)).toEqual({ active: [], success: '2026-01-01T10:06:00Z', told: [] });
  });

  test('an unknown one that runs is told of and left alone; one that vanished leaves the list', () => {
    const object = cronJob({}, { active: [reference('a')] });
    expect(look(object, [job('x')], ['uid-a'])).toEqual({
      active: [],
      success: undefined,
      told: ['Saw a job that the controller did not create or forgot: x', 'Active job went missing: a'],
    });
  });

  test('one that was just deleted is no news', () => {
    const object = cronJob({}, { active: [reference('a')] });
    expect(look(object, [job('a', 'Failed')], [], ['uid-a'])).toEqual({ active: [], success: undefined, told: [] });
  });

  test('the oldest finished ones beyond the limits are cleared, each kind by its own', () => {
    const jobs = [
      job('c', 'Complete', '2026-01-01T10:02:00Z'),
      job('a', 'Complete', '2026-01-01T10:01:00Z'),
      job('b', 'Complete', '2026-01-01T10:01:00Z'),
      job('f', 'Failed', '2026-01-01T10:00:00Z'),
      job('never', 'Failed'),
      job('r'),
    ];
    const doomed = (spec: Partial<CronJob['spec']>): string[] =>
      decideCleanup({ cronJob: cronJob(spec), jobs, gone: new Set(), now: 0 }).map(({ metadata }) => metadata.name);
    expect(doomed({ successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 1 })).toEqual(['a', 'b', 'f']);
    expect(doomed({ successfulJobsHistoryLimit: 0 })).toEqual(['a', 'b', 'c']);
    expect(doomed({})).toEqual([]);
  });
});

test('a Job is named by the minute and says its time by the clocks of the zone', () => {
  const object = cronJob({
    timeZone: 'Asia/Kolkata',
    jobTemplate: {
      metadata: { labels: { app: 'x' }, annotations: { a: 'b' } },
      spec: { template: { spec: { containers: [] } } },
    },
  });
  expect(jobFor(object, at('10:00:00'))).toEqual({
    metadata: {
      name: 'backup-29454360',
      namespace: 'default',
      labels: { app: 'x' },
      annotations: { a: 'b', 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T15:30:00+05:30' },
      ownerReferences: [
        {
          apiVersion: 'batch/v1',
          kind: 'CronJob',
          name: 'backup',
          uid: 'c1',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: { template: { spec: { containers: [] } } },
  });
});
