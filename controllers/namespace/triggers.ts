import { type Namespace, keyOf, resources } from '#pkg/api';
import { type Enqueue, type Trigger, on } from '#pkg/controller';

/**
 * How long a namespace that is being deleted is left alone, ms: until every API server knows of it and lets nothing more in,
 * and what was let in before can be seen by all (`namespaceDeletionGracePeriod`).
 */
export const SETTLING = 5000;

/** Every change and resync of a namespace that is being deleted. */
export function onTerminating(resyncPeriod: number): Trigger<Namespace> {
  const due = (namespace: Namespace): readonly Enqueue[] =>
    namespace.metadata.deletionTimestamp === undefined ? [] : [{ key: keyOf(namespace), after: SETTLING }];
  return on<Namespace>(
    resources.namespaces,
    { add: due, update: (_old, current) => due(current) },
    { resync: true, resyncPeriod },
  );
}
