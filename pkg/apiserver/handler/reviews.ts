import { formatTime, ownValue } from '#pkg/base';
import { type Attributes, type PolicyRule } from '../auth/authorizer.ts';
import { anonymous, authenticated } from '../auth/users.ts';
import type { ApiResponse, User } from '../exchange.ts';
import { type JsonObject, listAt, objectAt, stringAt } from '../json.ts';
import { refusal } from '../refusals.ts';
import { ISSUER } from '../auth/tokens.ts';
import type { Call } from './call.ts';
import { parseBody } from './negotiate.ts';
import { respondObject } from './respond.ts';

type Review = (call: Call, spec: JsonObject) => JsonObject | Promise<JsonObject>;

const reviews: Readonly<Record<string, Review>> = {
  'tokenreviews.authentication.k8s.io': reviewToken,
  'selfsubjectreviews.authentication.k8s.io': ({ user }) => ({ userInfo: userInfo(user) }),
  'subjectaccessreviews.authorization.k8s.io': (call, spec) => reviewAccess(call, spec, userOf(spec)),
  'localsubjectaccessreviews.authorization.k8s.io': (call, spec) => reviewAccess(call, spec, userOf(spec)),
  'selfsubjectaccessreviews.authorization.k8s.io': (call, spec) => reviewAccess(call, spec, call.user),
  'selfsubjectrulesreviews.authorization.k8s.io': reviewRules,
};

/** Questions in the form of objects: created, answered, and not kept. Undefined where the resource is none. */
export function reviewFor(call: Call): Review | undefined {
  return ownValue(reviews, call.resource.storage);
}

export async function review(call: Call, answer: Review): Promise<ApiResponse> {
  const asked = parseBody(call.request.headers, call.request.body);
  const { kind, apiVersion } = call.resource;
  const status = await answer(call, objectAt(asked, 'spec') ?? {});
  const created = kind === 'SelfSubjectReview' ? { creationTimestamp: formatTime(call.core.clock.now()) } : {};
  const spec = asked['spec'] === undefined ? {} : { spec: asked['spec'] };
  return respondObject(
    call,
    { kind, apiVersion, metadata: { ...objectAt(asked, 'metadata'), ...created }, ...spec, status },
    201,
  );
}

async function reviewToken(call: Call, spec: JsonObject): Promise<JsonObject> {
  const token = stringAt(spec, 'token') ?? '';
  if (token === '') throw refusal(400, 'BadRequest', 'token is required for TokenReview in authentication');
  const asked = listAt(spec, 'audiences').map(String);
  const verified = await call.core.tokens.verify(token, asked.length === 0 ? [ISSUER] : asked);
  if (verified === undefined) return { user: {}, error: 'invalid bearer token' };
  return { authenticated: true, user: userInfo(authenticated(verified.user)), audiences: [...verified.audiences] };
}

function userInfo(user: User): JsonObject {
  return {
    username: user.name,
    ...(user.uid === undefined || user.uid === '' ? {} : { uid: user.uid }),
    groups: [...user.groups],
    ...(user.extra === undefined || Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
  };
}

function userOf(spec: JsonObject): User {
  const name = stringAt(spec, 'user') ?? '';
  const groups = listAt(spec, 'groups').map(String);
  if (name === '' && groups.length === 0) refuse('spec.user', '', 'at least one of user or group must be specified');
  return { name: name === '' ? anonymous.name : name, groups };
}

/** Upstream leaves the kind out. */
function refuse(field: string, badValue: unknown, detail: string): never {
  const message = `Invalid value: ${JSON.stringify(badValue)}: ${detail}`;
  const group = 'authorization.k8s.io';
  const details = { group, causes: [{ reason: 'FieldValueInvalid', message, field }] };
  throw refusal(422, 'Invalid', `.${group} "" is invalid: ${field}: ${message}`, details);
}

function reviewAccess(call: Call, spec: JsonObject, user: User): JsonObject {
  const resource = objectAt(spec, 'resourceAttributes');
  const path = objectAt(spec, 'nonResourceAttributes');
  if ((resource === undefined) === (path === undefined)) {
    refuse(
      'spec.resourceAttributes',
      null,
      'exactly one of nonResourceAttributes or resourceAttributes must be specified',
    );
  }
  const verb = stringAt(resource ?? path, 'verb') ?? '';
  const attributes: Attributes =
    resource === undefined
      ? { user, verb, path: stringAt(path, 'path') ?? '' }
      : {
          user,
          verb,
          group: stringAt(resource, 'group') ?? '',
          version: stringAt(resource, 'version') ?? '',
          resource: stringAt(resource, 'resource') ?? '',
          subresource: stringAt(resource, 'subresource') ?? '',
          namespace: stringAt(resource, 'namespace') ?? '',
          name: stringAt(resource, 'name') ?? '',
        };
  const { allowed, reason } = call.core.authorizer.authorize(attributes);
  return { allowed, ...(reason === '' ? {} : { reason }) };
}

function reviewRules(call: Call, spec: JsonObject): JsonObject {
  const namespace = stringAt(spec, 'namespace') ?? '';
  if (namespace === '') throw refusal(400, 'BadRequest', 'no namespace on request');
  const masters = call.user.groups.includes('system:masters');
  const everything: PolicyRule[] = [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    { verbs: ['*'], nonResourceURLs: ['*'] },
  ];
  const rules = masters ? everything : call.core.authorizer.rulesFor(call.user, namespace);
  return {
    resourceRules: rules
      .filter((rule) => rule.resources !== undefined)
      .map(({ verbs, apiGroups, resources, resourceNames }) => ({
        verbs,
        apiGroups,
        resources,
        ...(resourceNames === undefined ? {} : { resourceNames }),
      })),
    nonResourceRules: rules
      .filter((rule) => rule.nonResourceURLs !== undefined)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: false,
  };
}
