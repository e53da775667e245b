import { afterEach, describe, expect, test } from 'vitest';

import type { User } from '../exchange.ts';
import { type Store, createStore } from '../store/index.ts';
import { type Attributes, type PolicyRule, RbacAuthorizer, allows } from './authorizer.ts';
import { serviceAccountUser } from './users.ts';

const joe: User = { name: 'joe', groups: ['devs', 'system:authenticated'] };

describe('a rule', () => {
  const rows: readonly (readonly [string, PolicyRule, Omit<Attributes, 'user'>, boolean])[] = [
    [
      'verb, group and resource',
      { verbs: ['get'], apiGroups: ['apps'], resources: ['deployments'] },
      { verb: 'get', group: 'apps', resource: 'deployments' },
      true,
    ],
    [
      'another verb',
      { verbs: ['get'], apiGroups: ['apps'], resources: ['deployments'] },
      { verb: 'list', group: 'apps', resource: 'deployments' },
      false,
    ],
    [
      'another group',
      { verbs: ['get'], apiGroups: [''], resources: ['deployments'] },
      { verb: 'get', group: 'apps', resource: 'deployments' },
      false,
    ],
    ['stars', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, { verb: 'x', group: 'y', resource: 'z' }, true],
    [
      'a subresource is not its resource',
      { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
      { verb: 'get', group: '', resource: 'pods', subresource: 'log' },
      false,
    ],
    [
      'a subresource by name',
      { verbs: ['get'], apiGroups: [''], resources: ['pods/log'] },
      { verb: 'get', group: '', resource: 'pods', subresource: 'log' },
      true,
    ],
    [
      'a subresource of anything',
      { verbs: ['update'], apiGroups: ['*'], resources: ['*/scale'] },
      { verb: 'update', group: 'apps', resource: 'deployments', subresource: 'scale' },
      true,
    ],
    [
      'a star does not cover subresources by half',
      { verbs: ['get'], apiGroups: [''], resources: ['pods/*'] },
      { verb: 'get', group: '', resource: 'pods', subresource: 'log' },
      false,
    ],
    [
      'a named object',
      { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['a'] },
      { verb: 'get', group: '', resource: 'secrets', name: 'a' },
      true,
    ],
    [
      'another named object',
      { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['a'] },
      { verb: 'get', group: '', resource: 'secrets', name: 'b' },
      false,
    ],
    [
      'a collection is no named object',
      { verbs: ['list'], apiGroups: [''], resources: ['secrets'], resourceNames: ['a'] },
      { verb: 'list', group: '', resource: 'secrets' },
      false,
    ],
    ['a path', { verbs: ['get'], nonResourceURLs: ['/healthz'] }, { verb: 'get', path: '/healthz' }, true],
    ['a path below', { verbs: ['get'], nonResourceURLs: ['/api/*'] }, { verb: 'get', path: '/api/v1' }, true],
    ['another path', { verbs: ['get'], nonResourceURLs: ['/api'] }, { verb: 'get', path: '/apis' }, false],
  ];
  test.each(rows)('%s', (_, rule, asked, allowed) => {
    expect(allows(rule, { user: joe, ...asked })).toBe(allowed);
  });
});

describe('role-based access', () => {
  const authorizers: RbacAuthorizer[] = [];
  afterEach(() => {
    for (const authorizer of authorizers.splice(0)) authorizer.close();
  });

  function setUp(): { store: Store; may: (user: User, verb: string, namespace?: string) => boolean } {
    const store = createStore();
    const authorizer = new RbacAuthorizer(store);
    authorizers.push(authorizer);
    const may = (user: User, verb: string, namespace?: string): boolean =>
      authorizer.authorize({
        user,
        verb,
        group: '',
        resource: 'pods',
        ...(namespace === undefined ? {} : { namespace }),
      }).allowed;
    return { store, may };
  }

  const rules = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];
  const GROUP = 'rbac.authorization.k8s.io';

  test('comes and goes with bindings and roles', () => {
    const { store, may } = setUp();
    expect(may(joe, 'get', 'a')).toBe(false);
    const role = store.create(`clusterroles.${GROUP}`, 'reader', { metadata: { name: 'reader' }, rules });
    const binding = {
      metadata: { name: 'b' },
      roleRef: { kind: 'ClusterRole', name: 'reader' },
      subjects: [{ kind: 'Group', name: 'devs' }],
    };
    store.create(`clusterrolebindings.${GROUP}`, 'b', binding);
    expect([may(joe, 'get', 'a'), may(joe, 'get'), may(joe, 'list', 'a')]).toEqual([true, true, false]);
    store.update(
      `clusterroles.${GROUP}`,
      'reader',
      { metadata: { name: 'reader' }, rules: [{ ...rules[0], verbs: ['list'] }] },
      role.revision,
    );
    expect([may(joe, 'get', 'a'), may(joe, 'list', 'a')]).toEqual([false, true]);
    store.delete(`clusterrolebindings.${GROUP}`, 'b');
    expect(may(joe, 'list', 'a')).toBe(false);
  });

  test('in a namespace ends at its border, and takes roles from there or from the cluster', () => {
    const { store, may } = setUp();
    const account = serviceAccountUser('a', 'robot', 'uid');
    store.create(`roles.${GROUP}`, 'a/reader', { metadata: { name: 'reader', namespace: 'a' }, rules });
    const subjects = [{ kind: 'ServiceAccount', name: 'robot', namespace: 'a' }];
    store.create(`rolebindings.${GROUP}`, 'a/b', {
      metadata: { name: 'b', namespace: 'a' },
      roleRef: { kind: 'Role', name: 'reader' },
      subjects,
    });
    expect([may(account, 'get', 'a'), may(account, 'get', 'b'), may(account, 'get')]).toEqual([true, false, false]);
    expect(may({ ...joe, name: 'system:serviceaccount:b:robot' }, 'get', 'a')).toBe(false);
  });

  test('does not concern the masters', () => {
    const { may } = setUp();
    expect(may({ name: 'root', groups: ['system:masters'] }, 'anything')).toBe(true);
  });
});
