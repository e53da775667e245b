import { describe, expect, it } from 'vitest';
import { type JsonObject, cloneJson, numberAt, objectAt } from '../json.ts';
import { podQosClass, prepareForCreate, prepareForUpdate } from './index.ts';

const DEPLOYMENT = { group: 'apps', version: 'v1', kind: 'Deployment' };
const DAEMON_SET = { group: 'apps', version: 'v1', kind: 'DaemonSet' };
const POD = { group: '', version: 'v1', kind: 'Pod' };
const SERVICE = { group: '', version: 'v1', kind: 'Service' };
const JOB = { group: 'batch', version: 'v1', kind: 'Job' };
const CSR = { group: 'certificates.k8s.io', version: 'v1', kind: 'CertificateSigningRequest' };
const CONFIG_MAP = { group: '', version: 'v1', kind: 'ConfigMap' };

function generationOf(object: JsonObject): number | undefined {
  return numberAt(object['metadata'], 'generation');
}

describe('prepareForCreate', () => {
  it('starts the generation of kinds that have one, and gives them a status of their own', () => {
    const object: JsonObject = { metadata: { name: 'd', generation: 7 }, spec: {}, status: { replicas: 9 } };
    prepareForCreate(DEPLOYMENT, object);
    expect(object).toEqual({ metadata: { name: 'd', generation: 1 }, spec: {}, status: {} });
    const map: JsonObject = { metadata: { name: 'c' } };
    prepareForCreate(CONFIG_MAP, map);
    expect(map).toEqual({ metadata: { name: 'c' } });
  });

  it("makes a Job's selector of its uid", () => {
    const job: JsonObject = { metadata: { name: 'j', uid: 'u' }, spec: { template: {} } };
    prepareForCreate(JOB, job);
    const labels = {
      'job-name': 'j',
      'batch.kubernetes.io/job-name': 'j',
      'controller-uid': 'u',
      'batch.kubernetes.io/controller-uid': 'u',
    };
    expect(objectAt(job['spec'], 'selector')).toEqual({ matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } });
    expect(objectAt(job['spec'], 'template')).toEqual({ metadata: { labels } });
    expect(objectAt(job, 'metadata')?.['labels']).toEqual(labels);
  });

  it('takes the requester of a signing request from the request alone', () => {
    const request: JsonObject = { metadata: { name: 'c' }, spec: { username: 'forged', groups: ['system:masters'] } };
    prepareForCreate(CSR, request, { user: { username: 'u', groups: ['g'] } });
    expect(request['spec']).toEqual({ username: 'u', groups: ['g'] });
  });
});

describe('prepareForUpdate', () => {
  const stored: JsonObject = {
    metadata: { name: 'd', uid: 'u', creationTimestamp: 't', generation: 3, labels: { a: 'b' } },
    spec: { replicas: 1 },
    status: { replicas: 1 },
  };
  const changed = (change: (object: JsonObject) => void, type = DEPLOYMENT, subresource?: string): JsonObject => {
    const object = cloneJson(stored);
    change(object);
    prepareForUpdate(type, object, cloneJson(stored), subresource);
    return object;
  };

  it.each<[string, (object: JsonObject) => void, number]>([
    ['nothing', () => {}, 3],
    ['the generation itself', (object) => void (objectAt(object, 'metadata')!['generation'] = 9), 3],
    ['a label', (object) => void (objectAt(object, 'metadata')!['labels'] = {}), 3],
    ['the spec', (object) => void (object['spec'] = { replicas: 2 }), 4],
    ['an annotation, of a Deployment', (object) => void (objectAt(object, 'metadata')!['annotations'] = { a: 'b' }), 4],
    ['the status', (object) => void (object['status'] = { replicas: 5 }), 3],
  ])('counts the generation for a change of %s', (_, change, generation) => {
    expect(generationOf(changed(change))).toBe(generation);
  });

  it('keeps the status on an update, and the rest on an update of the status', () => {
    const change = (object: JsonObject): void => {
      object['spec'] = { replicas: 9 };
      object['status'] = { replicas: 9 };
      objectAt(object, 'metadata')!['labels'] = { c: 'd' };
    };
    expect(changed(change)).toMatchObject({
      spec: { replicas: 9 },
      status: { replicas: 1 },
      metadata: { labels: { c: 'd' } },
    });
    expect(changed(change, DEPLOYMENT, 'status')).toMatchObject({
      spec: { replicas: 1 },
      status: { replicas: 9 },
      metadata: { labels: { a: 'b' }, generation: 3 },
    });
  });

  it('keeps what the system set', () => {
    const object = changed((one) => void (one['metadata'] = { name: 'd' }));
    expect(object['metadata']).toEqual({ name: 'd', uid: 'u', creationTimestamp: 't', generation: 3 });
  });

  it('counts the templates of a DaemonSet', () => {
    const annotation = 'deprecated.daemonset.template.generation';
    const old: JsonObject = { metadata: { annotations: { [annotation]: '2' } }, spec: { template: { a: 1 } } };
    const update = (spec: JsonObject): unknown => {
      const object: JsonObject = { metadata: { annotations: { [annotation]: '77' } }, spec };
      prepareForUpdate(DAEMON_SET, object, old);
      return objectAt(object['metadata'], 'annotations')?.[annotation];
    };
    expect(update({ template: { a: 1 }, minReadySeconds: 1 })).toBe('2');
    expect(update({ template: { a: 2 } })).toBe('3');
  });

  it('drops what a Service of its new type cannot have, if the user left it as it was', () => {
    const old: JsonObject = {
      spec: {
        type: 'NodePort',
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.1'],
        externalTrafficPolicy: 'Cluster',
        ports: [{ port: 80, nodePort: 30_000 }],
      },
    };
    const object = cloneJson(old);
    objectAt(object, 'spec')!['type'] = 'ClusterIP';
    prepareForUpdate(SERVICE, object, old);
    expect(object['spec']).toEqual({
      type: 'ClusterIP',
      clusterIP: '10.0.0.1',
      clusterIPs: ['10.0.0.1'],
      ports: [{ port: 80 }],
    });
    objectAt(object, 'spec')!['type'] = 'ExternalName';
    prepareForUpdate(SERVICE, object, { spec: { ...objectAt(object, 'spec'), type: 'ClusterIP' } });
    expect(object['spec']).toEqual({ type: 'ExternalName', ports: [{ port: 80 }] });
  });

  it("writes only the status through a Pod's status", () => {
    const old: JsonObject = {
      metadata: { name: 'p', ownerReferences: [{ uid: 'o' }], deletionTimestamp: 't' },
      spec: { nodeName: 'n' },
      status: { qosClass: 'Burstable', phase: 'Pending' },
    };
    const object: JsonObject = { metadata: { name: 'p' }, spec: {}, status: { phase: 'Running' } };
    prepareForUpdate(POD, object, old, 'status');
    expect(object).toMatchObject({
      metadata: old['metadata'],
      spec: { nodeName: 'n' },
      status: { phase: 'Running', qosClass: 'Burstable' },
    });
  });
});

describe('podQosClass', () => {
  const pod = (...resources: JsonObject[]): JsonObject => ({
    containers: resources.map((one) => ({ resources: one })),
  });
  const full = { cpu: '1', memory: '1Gi' };
  it.each([
    [pod({}), 'BestEffort'],
    [pod({ requests: { cpu: '0' } }), 'BestEffort'],
    [pod({ limits: full, requests: full }), 'Guaranteed'],
    [pod({ limits: full, requests: { cpu: '1000m', memory: '1024Mi' } }), 'Guaranteed'],
    [pod({ limits: full, requests: full }, {}), 'Burstable'],
    [pod({ limits: { cpu: '1' }, requests: { cpu: '1' } }), 'Burstable'],
    [pod({ requests: { cpu: '1' } }), 'Burstable'],
  ])('%j is %s', (spec, expected) => {
    expect(podQosClass(spec)).toBe(expected);
  });
});
