import { beforeEach, describe, expect, test } from 'vitest';

import { type OwnerReference, apiVersionOf, resources } from '#pkg/api';

import { toDot } from './dot.ts';
import { Graph, dependentsOf, isBlocked, versionOf } from './graph.ts';
import { type Claim, type Kind, type Observation, type Vertex, all } from './vertex.ts';

const kindOf = (resource: Kind['resource']): Kind => ({ resource, apiVersion: apiVersionOf(resource), objects: 0 });

let told: string[];
let graph: Graph;
let pods: Kind;
let sets: Kind;
let nodes: Kind;
beforeEach(() => {
  told = [];
  graph = new Graph({
    suspect: (uid) => void told.push(uid),
    orphans: (uid) => void told.push(`orphan ${uid}`),
    misplaced: (dependent: Vertex, { owner }: Claim) => void told.push(`misplaced ${dependent.uid} of ${owner.uid}`),
  });
  pods = kindOf(resources.pods);
  sets = kindOf(resources.replicaSets);
  nodes = kindOf(resources.nodes);
});

const take = (): string[] => told.splice(0).toSorted();
const owned = (name: string, more: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name,
  uid: name,
  ...more,
});

function see(kind: Kind, name: string, more: Partial<Observation> = {}): void {
  const namespace = kind.resource.namespaced ? { namespace: 'default' } : {};
  graph.observe(kind, { uid: name, name, resourceVersion: '1', ...namespace, ...more });
}

const deleting = { deletionTimestamp: '2026-01-01T00:00:00Z' };

describe('what is to be looked at', () => {
  test('nothing where owners are seen before dependents', () => {
    see(sets, 'web');
    see(pods, 'web-1', { ownerReferences: [owned('web')] });
    see(pods, 'web-1', { ownerReferences: [owned('web')], resourceVersion: '2' });
    expect(take()).toEqual([]);
    expect([...dependentsOf(graph.get('web')!)].map(({ uid }) => uid)).toEqual(['web-1']);
  });

  test('an owner that nobody has seen, and nothing more when it comes', () => {
    see(pods, 'web-1', { ownerReferences: [owned('web')] });
    see(pods, 'web-2', { ownerReferences: [owned('web')] });
    expect(new Set(take())).toEqual(new Set(['web']));
    expect(graph.get('web')).toMatchObject({ observed: false });
    see(sets, 'web');
    expect(take()).toEqual([]);
    expect(graph.get('web')).toMatchObject({ observed: true });
  });

  test('all dependents when an owner has gone, and late ones at once', () => {
    see(sets, 'web');
    for (const name of ['web-1', 'web-2']) see(pods, name, { ownerReferences: [owned('web')] });
    graph.remove(sets, 'web');
    expect(take()).toEqual(['web-1', 'web-2']);
    see(pods, 'web-3', { ownerReferences: [owned('web')] });
    expect(take()).toEqual(['web-3']);
    for (const name of ['web-1', 'web-2', 'web-3']) graph.remove(pods, name);
    expect(graph.size).toBe(0);
    see(pods, 'web-4', { ownerReferences: [owned('web')] });
    expect(take()).toEqual(['web-4']);
    expect(all(graph.get('web-4')!.owners)[0]!.claim.absent).toBe(true);
  });

  test('a dependent that names another object than the one of the UID', () => {
    see(sets, 'web');
    see(pods, 'a', { ownerReferences: [owned('web', { kind: 'Deployment' })] });
    see(pods, 'b', { ownerReferences: [owned('web', { name: 'wed' })] });
    see(pods, 'c', { ownerReferences: [owned('web', { apiVersion: 'apps/v1beta1' })] });
    expect(take()).toEqual(['a', 'b']);
    graph.remove(sets, 'web');
    expect(take()).toEqual(['a', 'b', 'c']);
    // Only what was seen to go is proven to have gone.
    expect(['a', 'b', 'c'].map((uid) => all(graph.get(uid)!.owners)[0]!.claim.absent)).toEqual([false, false, false]);
  });

  test('a dependent in another namespace, whichever is seen first', () => {
    see(sets, 'web', { namespace: 'other' });
    see(pods, 'a', { ownerReferences: [owned('web')] });
    expect(take()).toEqual(['a', 'misplaced a of web']);
    see(pods, 'b', { ownerReferences: [owned('late')] });
    expect(take()).toEqual(['late']);
    see(sets, 'late', { namespace: 'other' });
    expect(take()).toEqual(['b', 'misplaced b of late']);
    see(nodes, 'n', { ownerReferences: [owned('web')] });
    expect(take()).toEqual(['misplaced n of web', 'n']);
  });

  test('nothing where the owner is in no namespace', () => {
    see(nodes, 'n');
    see(pods, 'a', { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'n' }] });
    expect(take()).toEqual([]);
  });

  test('a dependent that loses one owner, by those that are left', () => {
    see(sets, 'web');
    see(sets, 'other');
    see(pods, 'a', { ownerReferences: [owned('web'), owned('other')] });
    graph.remove(sets, 'web');
    expect(take()).toEqual(['a']);
    see(pods, 'a', { ownerReferences: [owned('web')] });
    expect(take()).toEqual(['a']);
  });

  test('claims about what is not there, when the server has said so', () => {
    see(pods, 'a', { ownerReferences: [owned('web')] });
    see(pods, 'b', { ownerReferences: [owned('web', { name: 'wed' })] });
    take();
    const [right, wrong] = all(graph.get('web')!.claims);
    graph.refute(wrong!);
    expect(take()).toEqual(['b']);
    see(sets, 'web');
    expect(take()).toEqual(['b']);
    // The server's word is of before.
    graph.refute(right!);
    expect(take()).toEqual([]);
    expect(right!.absent).toBe(false);
  });

  test('what cannot be seen any more is known no longer, and not taken to have gone', () => {
    see(sets, 'web');
    see(pods, 'a', { ownerReferences: [owned('web')] });
    graph.forget(graph.get('web')!);
    expect(take()).toEqual([]);
    graph.suspectUnobserved();
    expect(take()).toEqual(['web']);
    expect(all(graph.get('web')!.claims)[0]!.absent).toBe(false);
    expect([sets.objects, pods.objects]).toEqual([0, 1]);
  });
});

describe('the end of an owner', () => {
  const blocking = { blockOwnerDeletion: true };

  test('in the foreground: dependents first, then the owner', () => {
    see(sets, 'web');
    see(pods, 'a', { ownerReferences: [owned('web', blocking)] });
    see(pods, 'b', { ownerReferences: [owned('web')] });
    see(sets, 'web', { ...deleting, finalizers: ['foregroundDeletion'] });
    expect(take()).toEqual(['a', 'b', 'web']);
    see(sets, 'web', { ...deleting, finalizers: ['foregroundDeletion'], resourceVersion: '3' });
    expect(take()).toEqual([]);
    expect(isBlocked(graph.get('web')!)).toBe(true);
    see(pods, 'late', { ownerReferences: [owned('web', blocking)] });
    expect(take()).toEqual(['late']);
    graph.remove(pods, 'late');
    expect(take()).toEqual([]);
    graph.remove(pods, 'a');
    expect(take()).toEqual(['web']);
    expect(isBlocked(graph.get('web')!)).toBe(false);
  });

  test.each([
    ['blocks it no more', [owned('web')]],
    ['says explicitly that it does not', [owned('web', { blockOwnerDeletion: false })]],
    ['has another owner', [owned('other')]],
    ['has none', []],
  ])('in the foreground, when the dependent %s', (_, ownerReferences) => {
    see(sets, 'web');
    see(sets, 'other');
    see(pods, 'a', { ownerReferences: [owned('web', blocking)] });
    see(sets, 'web', { ...deleting, finalizers: ['foregroundDeletion'] });
    take();
    see(pods, 'a', { ownerReferences });
    expect(take()).toContain('web');
  });

  test('with orphans, which goes before the foreground', () => {
    see(sets, 'web', { ...deleting, finalizers: ['orphan', 'foregroundDeletion'] });
    expect(take()).toEqual(['orphan web']);
    see(sets, 'web', { ...deleting, finalizers: ['foregroundDeletion'] });
    expect(take()).toEqual(['web']);
    see(sets, 'x', { finalizers: ['orphan'] });
    expect(take()).toEqual([]);
    see(sets, 'x', { ...deleting, finalizers: ['orphan'] });
    expect(take()).toEqual(['orphan x']);
  });
});

describe('what is kept', () => {
  test('one UID under two resources is of the one last seen', () => {
    see(pods, 'twin');
    see(sets, 'twin');
    expect([pods.objects, sets.objects]).toEqual([0, 1]);
    graph.remove(pods, 'twin');
    expect(graph.get('twin')?.kind).toBe(sets);
    graph.remove(sets, 'twin');
    expect(graph.size).toBe(0);
  });

  test('the same reference twice is one, and different ones to one owner are two', () => {
    see(sets, 'web');
    see(pods, 'a', { ownerReferences: [owned('web'), owned('web'), owned('web', { name: 'wed' })] });
    expect(all(graph.get('a')!.owners).map(({ claim }) => claim.name)).toEqual(['web', 'wed']);
    see(pods, 'a', { ownerReferences: [owned('web', { controller: true })] });
    expect(all(graph.get('a')!.owners).map((each) => each.toReference())).toEqual([owned('web', { controller: true })]);
    expect(all(graph.get('web')!.claims)).toHaveLength(1);
    graph.remove(pods, 'a');
    expect(graph.get('web')!.claims).toBeUndefined();
  });

  test('deletions, until the object is listed again', () => {
    see(pods, 'a');
    graph.remove(pods, 'a');
    expect(graph.hasGone('a')).toBe(true);
    see(pods, 'a');
    expect(graph.hasGone('a')).toBe(false);
  });

  test.each([
    ['12', 12],
    ['0', 0],
    ['9007199254740993', '9007199254740993'],
    ['a1', 'a1'],
    ['', ''],
    ['007', '007'],
  ])('version %j as %j', (text, kept) => {
    expect(versionOf(text)).toBe(kept);
  });
});

describe('in DOT', () => {
  const breathe = (): Promise<void> => Promise.resolve();

  test('nothing', async () => {
    see(pods, 'alone');
    expect(await toDot(graph, breathe)).toBe('strict digraph full {\n}\n');
  });

  test('who owns whom, sorted, with what is only heard of and what is known to be missing', async () => {
    see(sets, 'web"', { ...deleting, finalizers: ['foregroundDeletion'] });
    see(pods, 'a', { ownerReferences: [owned('web"'), owned('heard')] });
    see(pods, 'b', { ownerReferences: [owned('gone')] });
    graph.refute(all(graph.get('gone')!.claims)[0]!);
    const dot = await toDot(graph, breathe);
    expect(dot.split('\n')).toEqual(
      expect.arrayContaining([
        'strict digraph full {',
        '  // Node definitions.',
        '  "web\\"" [',
        String.raw`    label="uid=web\"\nnamespace=default\nReplicaSet.v1.apps/web\"\nbeingDeleted,deletingDependents\n"`,
        String.raw`    label="uid=heard\nnamespace=default\nReplicaSet.v1.apps/heard\nvirtual\n"`,
        String.raw`    label="uid=gone\nnamespace=default\nReplicaSet.v1.apps/gone\nmissingFromGraph\n"`,
        String.raw`    label="uid=a\nnamespace=default\nPod.v1/a\n"`,
        '    missing="true"',
        '  // Edge definitions.',
        '  "a" -> "heard";',
        '  "a" -> "web\\"";',
        '  "b" -> "gone";',
        '}',
      ]),
    );
    expect(dot.indexOf('"a" [')).toBeLessThan(dot.indexOf('"b" ['));
    const part = await toDot(graph, breathe, ['heard']);
    expect(part).toContain('"web\\"" [');
    expect(part).not.toContain('"b" [');
    expect(await toDot(graph, breathe, ['nobody'])).toBe('strict digraph full {\n}\n');
  });
});
