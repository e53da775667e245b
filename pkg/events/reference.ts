import { type KubeObject, type ResourceType, apiVersionOf } from '#pkg/api';
import type { ObjectReference } from './types.ts';

/** A reference to an object of a known resource, whether or not the object says what it is. */
export function referenceTo(type: ResourceType, object: KubeObject, fieldPath?: string): ObjectReference {
  return reference(object, apiVersionOf(type), type.kind, fieldPath);
}

/** The reference an event is about (client-go tools/reference); undefined where the object does not say what it is. */
export function referenceOf(about: KubeObject | ObjectReference): ObjectReference | undefined {
  if (!('metadata' in about)) return about;
  if (!about.apiVersion || !about.kind) return undefined;
  return reference(about, about.apiVersion, about.kind);
}

function reference(object: KubeObject, apiVersion: string, kind: string, fieldPath?: string): ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return {
    kind,
    ...(namespace ? { namespace } : {}),
    name,
    uid,
    apiVersion,
    resourceVersion,
    ...(fieldPath === undefined ? {} : { fieldPath }),
  };
}
