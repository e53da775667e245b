import { badRequest } from '../refusals.ts';
import { scanJson } from '../decode/scan.ts';
import { isJsonObject } from '../json.ts';

export interface ContinuePoint {
  /** Missing: as things are now. */
  readonly revision: number | undefined;
  /** Whole key of the last object handed out. */
  readonly startAfter: string;
}

/** The token's form is upstream's (`k8s.io/apiserver/pkg/storage/continue.go`); keys are relative to the list. */
export function encodeContinue(revision: number | undefined, lastKey: string, namespace: string | undefined): string {
  const relative = namespace === undefined ? lastKey : lastKey.slice(namespace.length + 1);
  const token = { v: 'meta.k8s.io/v1', rv: revision ?? -1, start: `/${relative}\0` };
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

export function decodeContinue(token: string, namespace: string | undefined): ContinuePoint {
  const value = parse(token);
  if (!isJsonObject(value)) throw invalid('not an object');
  if (value['v'] !== 'meta.k8s.io/v1')
    throw invalid(`server does not recognize this encoded version "${String(value['v'])}"`);
  const { rv, start } = value;
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0)
    throw invalid('incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  if (typeof start !== 'string' || start === '') throw invalid('encoded start key empty (version meta.k8s.io/v1)');
  const relative = start.replace(/^\//, '').replace(/\0$/, '');
  return {
    revision: rv < 0 ? undefined : rv,
    startAfter: namespace === undefined ? relative : `${namespace}/${relative}`,
  };
}

function parse(token: string): unknown {
  const text = Buffer.from(token, 'base64url').toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(scanJson(text).error ?? 'invalid JSON');
  }
}

function invalid(why: string): Error {
  return badRequest(`invalid continue token: continue key is not valid: ${why}`);
}
