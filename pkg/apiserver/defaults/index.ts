import type { JsonObject } from '../json.ts';

/** Fills in, in place, the defaults of the kind as the API server does when it decodes an object. */
export function applyDefaults(_group: string, _version: string, _kind: string, _object: JsonObject): void {}
