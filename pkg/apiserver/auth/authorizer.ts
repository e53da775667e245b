import type { User } from '../exchange.ts';
import { type JsonObject, objectAt, objectsAt, stringAt, listAt } from '../json.ts';
import type { Entry, Store } from '../store/index.ts';
import { MASTERS, serviceAccountOf } from './users.ts';

/** What someone wants to do. Without `resource` it is about a path. */
export interface Attributes {
  readonly user: User;
  readonly verb: string;
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly path?: string;
}

export interface Decision {
  readonly allowed: boolean;
  readonly reason: string;
}

/** A rule of a role, as stored. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

export interface Authorizer {
  authorize(attributes: Attributes): Decision;
  /** Every rule that holds for the user in the namespace. */
  rulesFor(user: User, namespace: string): readonly PolicyRule[];
}

interface Binding {
  /** Empty: holds everywhere. */
  readonly namespace: string;
  readonly name: string;
  readonly role: { readonly kind: string; readonly name: string };
}

const GROUP = 'rbac.authorization.k8s.io';
const BINDINGS = [`clusterrolebindings.${GROUP}`, `rolebindings.${GROUP}`];
const ROLES = [`clusterroles.${GROUP}`, `roles.${GROUP}`];
const NO: Decision = { allowed: false, reason: '' };

/**
 * Role-based access control over the stored roles and bindings (`plugin/pkg/auth/authorizer/rbac`). Bindings are found
 * by subject, so that a request costs what its user is bound to and not what the cluster holds.
 */
export class RbacAuthorizer implements Authorizer {
  readonly #store: Store;
  readonly #bySubject = new Map<string, Map<string, Binding>>();
  readonly #subjectsOf = new Map<string, readonly string[]>();
  readonly #decisions = new Map<string, Decision>();
  readonly #stops: (() => void)[] = [];

  constructor(store: Store) {
    this.#store = store;
    for (const resource of BINDINGS) {
      for (const entry of store.page(resource, {}).entries) this.#bind(resource, entry);
      const stop = store.watch(resource, {}, store.revision, ({ type, entry }) => {
        this.#decisions.clear();
        this.#unbind(resource, entry);
        if (type !== 'DELETED') this.#bind(resource, entry);
      });
      this.#stops.push(stop);
    }
    for (const resource of ROLES)
      this.#stops.push(store.watch(resource, {}, store.revision, () => this.#decisions.clear()));
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  authorize(attributes: Attributes): Decision {
    const { user } = attributes;
    if (user.groups.includes(MASTERS)) return { allowed: true, reason: '' };
    const { verb, group, resource, subresource, namespace, name, path } = attributes;
    const key = [user.name, user.groups.join(' '), verb, group, resource, subresource, namespace, name, path].join(
      '\0',
    );
    let decision = this.#decisions.get(key);
    if (decision === undefined) {
      if (this.#decisions.size > 10_000) this.#decisions.clear();
      decision = this.#decide(attributes);
      this.#decisions.set(key, decision);
    }
    return decision;
  }

  rulesFor(user: User, namespace: string): readonly PolicyRule[] {
    return [...this.#bindingsOf(user, namespace)].flatMap(([binding]) => this.#rulesOf(binding));
  }

  #decide(attributes: Attributes): Decision {
    for (const [binding, subject] of this.#bindingsOf(attributes.user, attributes.namespace ?? '')) {
      if (!this.#rulesOf(binding).some((rule) => allows(rule, attributes))) continue;
      const kind = binding.namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding';
      const shown = binding.namespace === '' ? binding.name : `${binding.name}/${binding.namespace}`;
      const reason = `RBAC: allowed by ${kind} "${shown}" of ${binding.role.kind} "${binding.role.name}" to ${describe(subject)}`;
      return { allowed: true, reason };
    }
    return NO;
  }

  *#bindingsOf(user: User, namespace: string): Generator<[binding: Binding, subject: string]> {
    const account = serviceAccountOf(user.name);
    const subjects = [`User ${user.name}`, ...user.groups.map((group) => `Group ${group}`)];
    if (account !== undefined) subjects.push(`ServiceAccount ${account.namespace}/${account.name}`);
    for (const subject of subjects) {
      for (const binding of this.#bySubject.get(subject)?.values() ?? []) {
        if (binding.namespace === '' || (namespace !== '' && binding.namespace === namespace)) yield [binding, subject];
      }
    }
  }

  #rulesOf(binding: Binding): readonly PolicyRule[] {
    const { kind, name } = binding.role;
    const role =
      kind === 'ClusterRole'
        ? this.#store.get(ROLES[0]!, name)
        : this.#store.get(ROLES[1]!, `${binding.namespace}/${name}`);
    return listAt(role?.object, 'rules') as readonly PolicyRule[];
  }

  #bind(resource: string, entry: Entry): void {
    const metadata = objectAt(entry.object, 'metadata');
    const role = objectAt(entry.object, 'roleRef');
    const binding: Binding = {
      namespace: stringAt(metadata, 'namespace') ?? '',
      name: stringAt(metadata, 'name')!,
      role: { kind: stringAt(role, 'kind') ?? '', name: stringAt(role, 'name') ?? '' },
    };
    const id = `${resource} ${entry.key}`;
    const subjects = objectsAt(entry.object, 'subjects').map((subject) => subjectKey(subject, binding.namespace));
    this.#subjectsOf.set(id, subjects);
    for (const subject of subjects) {
      const bindings = this.#bySubject.get(subject) ?? new Map<string, Binding>();
      this.#bySubject.set(subject, bindings.set(id, binding));
    }
  }

  #unbind(resource: string, entry: Entry): void {
    const id = `${resource} ${entry.key}`;
    for (const subject of this.#subjectsOf.get(id) ?? []) {
      const bindings = this.#bySubject.get(subject);
      bindings?.delete(id);
      if (bindings?.size === 0) this.#bySubject.delete(subject);
    }
    this.#subjectsOf.delete(id);
  }
}

function subjectKey(subject: JsonObject, namespace: string): string {
  const kind = stringAt(subject, 'kind') ?? '';
  const name = stringAt(subject, 'name') ?? '';
  return kind === 'ServiceAccount'
    ? `${kind} ${stringAt(subject, 'namespace') ?? namespace}/${name}`
    : `${kind} ${name}`;
}

/** `User "joe"`; a service account with its namespace last, as upstream has it. */
function describe(subject: string): string {
  const [kind = '', name = ''] = subject.split(' ');
  return `${kind} "${kind === 'ServiceAccount' ? name.split('/').toReversed().join('/') : name}"`;
}

/** Whether one rule covers it (`pkg/apis/rbac/v1/evaluation_helpers.go`). */
export function allows(rule: PolicyRule, asked: Attributes): boolean {
  if (!covers(rule.verbs, asked.verb)) return false;
  if (asked.resource === undefined)
    return (rule.nonResourceURLs ?? []).some((pattern) => pathCovers(pattern, asked.path ?? ''));
  return (
    covers(rule.apiGroups ?? [], asked.group ?? '') &&
    coversResource(rule.resources ?? [], asked.resource, asked.subresource) &&
    (rule.resourceNames === undefined ||
      rule.resourceNames.length === 0 ||
      rule.resourceNames.includes(asked.name ?? ''))
  );
}

function covers(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}

function coversResource(list: readonly string[], resource: string, subresource: string | undefined): boolean {
  if (subresource === undefined || subresource === '') return covers(list, resource);
  return covers(list, `${resource}/${subresource}`) || list.includes(`*/${subresource}`);
}

function pathCovers(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));
}
