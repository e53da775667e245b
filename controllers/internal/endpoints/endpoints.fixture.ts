import type { EndpointSlice, KubeObject, ObjectMeta, Pod, Service } from '#pkg/api';
import { deepFreeze } from '#pkg/base';
import { at } from '#pkg/testing';

import { indexPodsByLabel, indexServices } from './index.ts';

const meta = (name: string): ObjectMeta => ({
  name,
  namespace: 'default',
  uid: `uid-${name}`,
  resourceVersion: '1',
  creationTimestamp: at(0),
});

export function serviceOf(
  name: string,
  spec: Partial<NonNullable<Service['spec']>> = {},
  metadata: Partial<ObjectMeta> = {},
): Service {
  return deepFreeze({
    metadata: { ...meta(name), ...metadata },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.96.0.1',
      ipFamilies: ['IPv4'],
      selector: { app: 'web' },
      ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }],
      ...spec,
    },
  });
}

export function sliceOf(
  name: string,
  metadata: Partial<ObjectMeta> = {},
  rest: Partial<EndpointSlice> = {},
): EndpointSlice {
  const labels = {
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  };
  return deepFreeze({
    metadata: { ...meta(name), labels, ...metadata },
    addressType: 'IPv4',
    endpoints: [],
    ports: [],
    ...rest,
  });
}

class Indexed<T extends KubeObject> {
  readonly #objects: readonly T[];
  readonly #indexes = new Map<string, (object: T) => readonly string[]>();

  constructor(objects: readonly T[]) {
    this.#objects = objects;
  }

  addIndex(name: string, index: (object: T) => readonly string[]): void {
    this.#indexes.set(name, index);
  }

  byIndex(name: string, value: string): readonly T[] {
    return this.#objects.filter((object) => this.#indexes.get(name)!(object).includes(value));
  }
}

/** Listers over fixed objects, with the indexes that the helpers ask for. */
export function storeOf(
  pods: readonly Pod[],
  services: readonly Service[],
): { readonly pods: Indexed<Pod>; readonly services: Indexed<Service> } {
  const store = { pods: new Indexed(pods), services: new Indexed(services) };
  indexPodsByLabel(store.pods);
  indexServices(store.services);
  return store;
}
