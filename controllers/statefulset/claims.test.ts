import { describe, expect, test } from 'vitest';

import { type OwnerReference, type PersistentVolumeClaim, type StatefulSet, resources } from '#pkg/api';
import { controllerReference } from '#pkg/controller';
import { at, statefulSet } from '#pkg/testing';

import { hasForeignController, isClaimOwnerUpToDate, isStaleClaim, newClaims, withClaimOwners } from './claims.ts';

type Policy = 'Retain' | 'Delete';

function setOf(whenDeleted: Policy, whenScaled: Policy): StatefulSet {
  return statefulSet({
    spec: {
      replicas: 2,
      persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled },
      volumeClaimTemplates: [{ metadata: { name: 'data', labels: { a: 'b', app: 'x' } }, spec: {} }],
    },
  });
}

const metadata = (name: string, uid: string) => ({
  name,
  namespace: 'default',
  uid,
  resourceVersion: '1',
  creationTimestamp: at(0),
});
const wanted = { metadata: metadata('web-1', 'uid-pod') };
const condemned = { metadata: metadata('web-2', 'uid-pod') };

/** References in short: `set`, `pod`, both managing; `other`; `set!` and `pod!` of another UID; `set-` that manages nothing. */
function referenceOf(word: string, pod: typeof wanted): OwnerReference {
  const ofSet = controllerReference(setOf('Retain', 'Retain'), resources.statefulSets);
  const ofPod = controllerReference(pod, resources.pods);
  switch (word) {
    case 'set':
      return ofSet;
    case 'pod':
      return ofPod;
    case 'set!':
      return { ...ofSet, uid: 'old' };
    case 'pod!':
      return { ...ofPod, uid: 'old' };
    case 'set-':
      return { ...ofSet, controller: false };
    case 'other':
      return { apiVersion: 'v1', kind: 'Thing', name: 'x', uid: 'x', controller: true };
    default:
      return { apiVersion: 'v1', kind: 'Friend', name: 'y', uid: 'y' };
  }
}
const claimOf = (words: string, pod: typeof wanted): PersistentVolumeClaim => ({
  metadata: {
    ...metadata('data-web-1', 'uid-claim'),
    ownerReferences: words
      .split(' ')
      .filter(Boolean)
      .map((word) => referenceOf(word, pod)),
  },
});
const wordsOf = (claim: PersistentVolumeClaim): string =>
  (claim.metadata.ownerReferences ?? []).map(({ kind }) => kind).join(' ');

describe('owners of a claim', () => {
  test.each<[Policy, Policy, typeof wanted, string, string]>([
    ['Retain', 'Retain', wanted, '', ''],
    ['Retain', 'Retain', condemned, '', ''],
    ['Delete', 'Retain', wanted, 'set', 'StatefulSet'],
    ['Delete', 'Retain', condemned, 'set', 'StatefulSet'],
    ['Retain', 'Delete', wanted, '', ''],
    ['Retain', 'Delete', condemned, 'pod', 'Pod'],
    ['Delete', 'Delete', wanted, 'set', 'StatefulSet'],
    ['Delete', 'Delete', condemned, 'pod', 'Pod'],
  ])('deleted %s, scaled %s', (whenDeleted, whenScaled, pod, fit, written) => {
    const set = setOf(whenDeleted, whenScaled);
    for (const words of ['', 'set', 'pod', 'set pod', 'friend', `friend ${fit}`, 'set-']) {
      const claim = claimOf(words, pod);
      const others = words.includes('friend') ? 'Friend ' : '';
      expect([words, isClaimOwnerUpToDate(claim, set, pod)]).toEqual([
        words,
        words.replace('friend', '').trim() === fit,
      ]);
      expect(wordsOf(withClaimOwners(claim, set, pod))).toBe(`${others}${written}`.trim());
      expect(isClaimOwnerUpToDate(withClaimOwners(claim, set, pod), set, pod)).toBe(true);
    }
  });

  test.each<[string, boolean, boolean, string]>([
    // Of an earlier set or Pod, or of someone else: left as it is.
    ['set!', true, true, ''],
    ['pod!', true, true, ''],
    ['other', true, true, 'Thing'],
    ['other set', false, true, 'Thing'],
    ['other pod', false, true, 'Thing'],
  ])('%j is up to date: %s, foreign: %s', (words, upToDate, foreign, written) => {
    const set = setOf('Delete', 'Delete');
    const claim = claimOf(words, wanted);
    expect([isClaimOwnerUpToDate(claim, set, wanted), hasForeignController(claim, set, wanted)]).toEqual([
      upToDate,
      foreign,
    ]);
    expect(wordsOf(withClaimOwners(claim, set, wanted))).toBe(written);
    expect(hasForeignController(claim, setOf('Retain', 'Retain'), wanted)).toBe(false);
  });

  test('a claim of an earlier Pod is stale only where claims go with their Pods', () => {
    const next = { metadata: { name: 'web-1' } };
    expect([
      isStaleClaim(claimOf('pod!', wanted), setOf('Retain', 'Delete'), next),
      isStaleClaim(claimOf('pod!', wanted), setOf('Delete', 'Retain'), next),
    ]).toEqual([true, false]);
    expect(isStaleClaim(claimOf('set', wanted), setOf('Retain', 'Delete'), next)).toBe(false);
  });
});

test('new claims have name, labels of template and selector, and where the policy says so the set as owner', () => {
  const [kept] = newClaims(setOf('Retain', 'Delete'), 1);
  expect(kept).toEqual({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data-web-1', namespace: 'default', labels: { a: 'b', app: 'web' } },
    spec: {},
  });
  const set = setOf('Delete', 'Delete');
  expect(newClaims(set, 1)[0]?.metadata.ownerReferences).toEqual([controllerReference(set, resources.statefulSets)]);
  expect(newClaims(set, 5)[0]?.metadata.ownerReferences).toBeUndefined();
});
