import type { User } from '../exchange.ts';

export const MASTERS = 'system:masters';
export const AUTHENTICATED = 'system:authenticated';
export const SERVICE_ACCOUNTS = 'system:serviceaccounts';

export const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
/** May do everything, whatever the roles say. */
export const admin: User = { name: 'kubernetes-admin', groups: [MASTERS, AUTHENTICATED] };

/** The user, counted among the authenticated. */
export function authenticated(user: User): User {
  return user.groups.includes(AUTHENTICATED) ? user : { ...user, groups: [...user.groups, AUTHENTICATED] };
}

const PREFIX = 'system:serviceaccount:';

export function serviceAccountUser(namespace: string, name: string, uid: string, extra?: User['extra']): User {
  return {
    name: `${PREFIX}${namespace}:${name}`,
    uid,
    groups: [SERVICE_ACCOUNTS, `${SERVICE_ACCOUNTS}:${namespace}`, AUTHENTICATED],
    ...(extra === undefined ? {} : { extra }),
  };
}

/** Namespace and name of the service account that a user name stands for. */
export function serviceAccountOf(userName: string): { namespace: string; name: string } | undefined {
  if (!userName.startsWith(PREFIX)) return undefined;
  const [namespace, name, ...more] = userName.slice(PREFIX.length).split(':');
  return namespace && name && more.length === 0 ? { namespace, name } : undefined;
}
