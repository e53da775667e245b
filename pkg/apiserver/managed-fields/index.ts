/**
 * Keeps who owns which field (`metadata.managedFields`), and server-side apply on top of it, as structured-merge-diff does both.
 *
 *     object.metadata.managedFields = trackUpdate({ schema, live, object, manager: 'kubectl-edit', time });
 *     const { object } = apply({ schema, live, config, manager: 'kubectl', force: false, time });
 */
export { type Applied, type ApplyOptions, apply } from './apply.ts';
export type { ManagedFieldsEntry } from './managers.ts';
export { type TrackOptions, trackUpdate } from './update.ts';
