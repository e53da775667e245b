import { ApiError } from '#pkg/api';
import { formatTime } from '#pkg/base';
import { ISSUER } from '../auth/tokens.ts';
import type { ApiResponse } from '../exchange.ts';
import { type JsonObject, listAt, numberAt, objectAt, stringAt } from '../json.ts';
import { badRequest, conflict, notFound } from '../refusals.ts';
import { type FieldError, invalidStatus } from '../validation/index.ts';
import type { Call } from './call.ts';
import { parseBody } from './negotiate.ts';
import { requireEntry } from './read.ts';
import { respondObject } from './respond.ts';
import { newUid } from './uid.ts';

const TYPE = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' };
const SHORTEST = 600;
const LONGEST = 2 ** 32;
const DEFAULT_SECONDS = 3600;

/** Issues a token of a service account (`pkg/registry/core/serviceaccount/storage/token.go`). */
export async function requestToken(call: Call): Promise<ApiResponse> {
  const request = parseBody(call.request.headers, call.request.body);
  const account = requireEntry(call);
  const uid = stringAt(account.object['metadata'], 'uid')!;
  const given = objectAt(request, 'metadata');
  const name = stringAt(given, 'name') ?? '';
  if (name !== '' && name !== call.name)
    refuse(call.name!, 'metadata.name', name, 'must match the service account name if specified');
  const givenUid = stringAt(given, 'uid') ?? '';
  if (givenUid !== '' && givenUid !== uid) {
    const why = `the UID in the token request (${givenUid}) does not match the UID of the service account (${uid})`;
    throw conflict({ group: TYPE.group, resource: TYPE.kind }, call.name!, why);
  }
  const spec = objectAt(request, 'spec') ?? {};
  const audiences = listAt(spec, 'audiences').map(String);
  const seconds = numberAt(spec, 'expirationSeconds') ?? DEFAULT_SECONDS;
  if (seconds < SHORTEST)
    refuse('', 'spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes');
  if (seconds > LONGEST)
    refuse('', 'spec.expirationSeconds', seconds, 'may not specify a duration larger than 2^32 seconds');
  const bound = boundObject(call, objectAt(spec, 'boundObjectRef'));
  const used = audiences.length === 0 ? [ISSUER] : audiences;
  const { core } = call;
  const { token, expires } = await core.tokens.issue({
    namespace: call.namespace!,
    name: call.name!,
    uid,
    audiences: used,
    expirationSeconds: seconds,
    tokenId: newUid(core.random),
    ...(bound === undefined ? {} : { bound }),
  });
  const answer = {
    kind: TYPE.kind,
    apiVersion: `${TYPE.group}/${TYPE.version}`,
    metadata: { name: call.name, namespace: call.namespace, uid, creationTimestamp: formatTime(core.clock.now()) },
    spec: { audiences: used, expirationSeconds: seconds, boundObjectRef: spec['boundObjectRef'] ?? null },
    status: { token, expirationTimestamp: formatTime(expires) },
  };
  return respondObject(call, answer, 201);
}

function refuse(name: string, field: string, badValue: unknown, detail: string): never {
  const error: FieldError = { field, type: 'invalid', badValue, detail };
  throw new ApiError(invalidStatus(TYPE, name, [error]));
}

function boundObject(
  call: Call,
  reference: JsonObject | undefined,
): { kind: string; name: string; uid: string } | undefined {
  if (reference === undefined) return undefined;
  const kind = stringAt(reference, 'kind') ?? '';
  const name = stringAt(reference, 'name') ?? '';
  if ((stringAt(reference, 'apiVersion') ?? 'v1') !== 'v1' || !['Pod', 'Secret', 'Node'].includes(kind)) {
    throw badRequest(`cannot bind token to object of type ${stringAt(reference, 'apiVersion') ?? ''}, Kind=${kind}`);
  }
  const resource = `${kind.toLowerCase()}s`;
  const entry = call.core.store.get(resource, kind === 'Node' ? name : `${call.namespace}/${name}`);
  if (entry === undefined) throw notFound({ group: '', resource }, name);
  if (kind === 'Pod' && (stringAt(entry.object['spec'], 'serviceAccountName') ?? 'default') !== call.name) {
    throw badRequest(
      `cannot bind token for serviceaccount "${call.name}" to pod running with different serviceaccount name.`,
    );
  }
  const uid = stringAt(entry.object['metadata'], 'uid')!;
  const asked = stringAt(reference, 'uid') ?? '';
  if (asked !== '' && asked !== uid) {
    const why = `the UID in the bound object reference (${asked}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: '', resource: kind }, name, why);
  }
  return { kind, name, uid };
}
