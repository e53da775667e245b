/**
 * The three kinds of patch that change an object by what the client sends (server-side apply is in `managed-fields`).
 * Each returns a new object and leaves its arguments alone; the result is to be decoded again before it is stored.
 *
 *     strategicMergePatch(schemaFor('apps', 'v1', 'Deployment')!, stored, { spec: { replicas: 3 } });
 */
export { jsonPatch } from './json-patch.ts';
export { mergePatch } from './merge-patch.ts';
export { strategicMergePatch } from './strategic.ts';
