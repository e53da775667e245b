import { describe, expect, test } from 'vitest';

import type { ControllerRevision, PodTemplateSpec, StatefulSet } from '#pkg/api';
import { at, podTemplate, statefulSet } from '#pkg/testing';

import { templatePatch } from '../internal/history/index.ts';
import { currentRevision, decideUpdateRevision } from './revisions.ts';

function stored(name: string, revision: number, template: unknown): ControllerRevision {
  const text = templatePatch(template as PodTemplateSpec);
  return {
    metadata: { name, namespace: 'default', uid: name, resourceVersion: '1', creationTimestamp: at(revision) },
    revision,
    data: JSON.parse(text),
  };
}
const setOf = (template: PodTemplateSpec): StatefulSet =>
  statefulSet({ metadata: { annotations: { note: 'x' } }, spec: { template } });
const [one, two, three] = ['app:1', 'app:2', 'app:3'].map((image, i) =>
  stored(`r${i + 1}`, i + 1, podTemplate(image)),
) as [ControllerRevision, ControllerRevision, ControllerRevision];
const semantic = { semantic: true };

describe("the set's revision", () => {
  test.each<[string, ControllerRevision[], string]>([
    ['app:3', [one, two, three], 'keep r3'],
    ['app:1', [one, two, three], 'renumber r1 to 4'],
    ['app:2', [two, stored('copy', 2, podTemplate('app:2')), three], 'renumber copy to 4'],
    ['app:3', [one, three, stored('copy', 4, podTemplate('app:3'))], 'keep copy'],
  ])('%s', (image, revisions, expected) => {
    const decision = decideUpdateRevision(setOf(podTemplate(image)), revisions, semantic);
    if (decision.kind === 'create') throw new Error('unexpected');
    expect(
      `${decision.kind} ${decision.revision.metadata.name}${decision.kind === 'renumber' ? ` to ${decision.number}` : ''}`,
    ).toBe(expected);
  });

  test('is made where none holds its template, with the annotations of the set', () => {
    const decision = decideUpdateRevision(setOf(podTemplate('app:9')), [one, two], semantic);
    expect(decision).toMatchObject({
      kind: 'create',
      draft: { object: { revision: 3, metadata: { annotations: { note: 'x' }, namespace: 'default' } } },
    });
  });
});

test('the current revision is what the status names, else that of the update', () => {
  const set = statefulSet({ status: { replicas: 0, currentRevision: 'r2' } });
  expect(currentRevision(set, [one, two], three)).toBe(two);
  expect(currentRevision(set, [one], three)).toBe(three);
});

describe('a newest revision that means the same in other words', () => {
  const full = podTemplate('app:1');
  const stated: PodTemplateSpec = {
    ...full,
    spec: {
      ...full.spec!,
      containers: [
        {
          name: 'app',
          image: 'app:1',
          imagePullPolicy: 'IfNotPresent',
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          resources: {},
          readinessProbe: {
            httpGet: { path: '/', port: 80, scheme: 'HTTP' },
            timeoutSeconds: 1,
            periodSeconds: 10,
            successThreshold: 1,
            failureThreshold: 3,
          },
        },
      ],
      volumes: [
        { name: 'a', emptyDir: {} },
        { name: 'b', configMap: { name: 'b', defaultMode: 420 } },
      ],
      dnsPolicy: 'ClusterFirst',
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    },
  };
  const brief = {
    metadata: { ...full.metadata, creationTimestamp: null },
    spec: {
      containers: [{ name: 'app', image: 'app:1', resources: {}, readinessProbe: { httpGet: { port: 80 } } }],
      volumes: [{ name: 'a' }, { name: 'b', configMap: { name: 'b' } }],
    },
  };

  test('is kept, if it is asked for meaning', () => {
    expect(decideUpdateRevision(setOf(stated), [one, stored('brief', 5, brief)], semantic)).toMatchObject({
      kind: 'keep',
      revision: { revision: 5 },
    });
    expect(decideUpdateRevision(setOf(stated), [stored('brief', 5, brief)], { semantic: false }).kind).toBe('create');
  });

  test('is not one that says something else, nor one that is older', () => {
    const other = {
      ...brief,
      spec: { ...brief.spec, containers: [{ ...brief.spec.containers[0]!, imagePullPolicy: 'Always' }] },
    };
    expect(decideUpdateRevision(setOf(stated), [stored('other', 5, other)], semantic).kind).toBe('create');
    expect(
      decideUpdateRevision(setOf(stated), [stored('brief', 5, brief), stored('r6', 6, podTemplate('app:6'))], semantic)
        .kind,
    ).toBe('create');
  });
});
