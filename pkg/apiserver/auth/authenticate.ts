import { type ApiRequest, type User } from '../exchange.ts';
import { forbidden, unauthorized } from '../refusals.ts';
import type { Attributes, Authorizer } from './authorizer.ts';
import type { TokenIssuer } from './tokens.ts';
import { anonymous, authenticated, serviceAccountOf, serviceAccountUser } from './users.ts';

/** Finds who asks: by the connection, else by a bearer token, else nobody. Throws 401 for a token that is not good. */
export async function authenticate(request: ApiRequest, tokens: TokenIssuer): Promise<User> {
  if (request.user !== undefined) return authenticated(request.user);
  const header = request.headers['authorization'];
  if (header === undefined || header === '') return anonymous;
  const token = /^Bearer +(\S+)\s*$/i.exec(header)?.[1];
  if (token === undefined) return anonymous;
  const verified = await tokens.verify(token);
  if (verified === undefined) throw unauthorized();
  return authenticated(verified.user);
}

/** Finds the user named by the impersonation headers, if the caller may speak for them (`kubectl --as`). */
export function impersonate(user: User, headers: Readonly<Record<string, string>>, authorizer: Authorizer): User {
  const name = headers['impersonate-user'];
  const groups = (headers['impersonate-group'] ?? '')
    .split(',')
    .map((group) => group.trim())
    .filter((group) => group !== '');
  if (name === undefined || name === '') return user;
  const account = serviceAccountOf(name);
  const check = (attributes: Omit<Attributes, 'user' | 'verb'>): void => {
    const asked = { user, verb: 'impersonate', ...attributes };
    const decision = authorizer.authorize(asked);
    if (!decision.allowed)
      throw forbidden(
        { group: '', resource: attributes.resource! },
        attributes.name!,
        `User "${user.name}" cannot impersonate resource "${attributes.resource}" in API group "" at the cluster scope`,
      );
  };
  if (account === undefined) check({ group: '', version: 'v1', resource: 'users', name });
  else
    check({ group: '', version: 'v1', resource: 'serviceaccounts', namespace: account.namespace, name: account.name });
  for (const group of groups) check({ group: '', version: 'v1', resource: 'groups', name: group });
  if (account !== undefined && groups.length === 0) return serviceAccountUser(account.namespace, account.name, '');
  if (name === anonymous.name && groups.length === 0) return anonymous;
  return authenticated({ name, groups });
}
