import type { KubeObject } from '#pkg/api';

export function hasFinalizer(object: KubeObject, finalizer: string): boolean {
  return object.metadata.finalizers?.includes(finalizer) === true;
}

/** The object with the finalizer; the same object if it has it. */
export function withFinalizer<T extends KubeObject>(object: T, finalizer: string): T {
  if (hasFinalizer(object, finalizer)) return object;
  return {
    ...object,
    metadata: { ...object.metadata, finalizers: [...(object.metadata.finalizers ?? []), finalizer] },
  };
}

/** The object without the finalizer; the same object if it has none of it. */
export function withoutFinalizer<T extends KubeObject>(object: T, finalizer: string): T {
  if (!hasFinalizer(object, finalizer)) return object;
  const finalizers = object.metadata.finalizers!.filter((name) => name !== finalizer);
  return { ...object, metadata: { ...object.metadata, finalizers } };
}

/** Strategic merge patch that takes the finalizer off, refused if the object is not the one that was seen. */
export function removeFinalizerPatch(object: KubeObject, finalizer: string): object {
  return { metadata: { uid: object.metadata.uid, '$deleteFromPrimitiveList/finalizers': [finalizer] } };
}
