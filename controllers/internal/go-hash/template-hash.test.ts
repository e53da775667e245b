import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { parseJson } from '#pkg/base';
import type { PodTemplateSpec } from '#pkg/api';

import { dumpForHash } from './go-dump.ts';
import { dumpQuantity } from './go-quantity.ts';
import { templateHash } from './template-hash.ts';

const small: PodTemplateSpec = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'app', image: 'app:v1' }] },
};

/** With something of most kinds: maps, lists, pointers, quantities of each form, ports by name and number. */
const large = JSON.parse(`
  {"metadata": {"labels": {"name": "agent", "tier": "node"}, "annotations": {"prometheus.io/scrape": "true"}}, "spec":
  {"containers": [{"name": "agent", "image": "agent:1.2", "args": ["--x=1", "<&>"], "ports": [{"name": "http", "hostPort":
  9100, "containerPort": 9100, "protocol": "TCP"}], "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"apiVersion":
  "v1", "fieldPath": "spec.nodeName"}}}, {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu",
  "divisor": "0"}}}], "resources": {"limits": {"cpu": "1", "memory": "200Mi"}, "requests": {"cpu": "100m", "memory":
  "64Mi", "ephemeral-storage": "100Ti", "example.com/x": "3e6"}}, "volumeMounts": [{"name": "logs", "readOnly": true,
  "mountPath": "/var/log"}], "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"},
  "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}, "readinessProbe": {"tcpSocket":
  {"port": 9100}, "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}, "lifecycle":
  {"preStop": {"sleep": {"seconds": 5}}}, "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy":
  "File", "imagePullPolicy": "IfNotPresent", "securityContext": {"privileged": true, "runAsUser": 0, "capabilities":
  {"add": ["NET_ADMIN"]}}}], "volumes": [{"name": "logs", "hostPath": {"path": "/var/log", "type": ""}}, {"name": "tmp",
  "emptyDir": {"sizeLimit": "1Gi"}}, {"name": "conf", "configMap": {"name": "conf", "defaultMode": 420}}, {"name": "all",
  "projected": {"sources": [{"serviceAccountToken": {"expirationSeconds": 3600, "path": "token"}}], "defaultMode": 420}}],
  "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirstWithHostNet", "nodeSelector":
  {"kubernetes.io/os": "linux"}, "serviceAccountName": "agent", "serviceAccount": "agent", "hostNetwork": true,
  "securityContext": {}, "schedulerName": "default-scheduler", "tolerations": [{"operator": "Exists"}, {"key": "a",
  "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}], "affinity": {"nodeAffinity":
  {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone",
  "operator": "NotIn", "values": ["x"]}]}]}}}, "priorityClassName": "system-node-critical"}}
`) as PodTemplateSpec;

interface Golden {
  readonly name: string;
  readonly template: PodTemplateSpec;
  readonly collisionCount?: number;
  readonly hash: string;
}

/** One template for each struct of a Pod template, with each of its fields set; counts; quantities; all as Go hashes them. */
const golden = parseJson(
  readFileSync(new URL('../../../test/golden/template-hashes.json', import.meta.url), 'utf8'),
) as readonly Golden[];

describe("hashes that the original's ComputeHash made", () => {
  test.each(golden.map((row) => [row.name, row] as const))('%s', (_name, { template, collisionCount, hash }) => {
    expect(templateHash(template, collisionCount)).toBe(hash);
  });
});

describe('hashes of a kube-controller-manager 1.36', () => {
  test.each([
    ['small', small, undefined, '6d8fb79cf5'],
    ['small, after a collision', small, 1, '78558dc55d'],
    ['large', large, undefined, '9bcc9b6f9'],
    ['large, after a collision', large, 1, '856c786cf4'],
  ])('%s', (_, template, collisions, expected) => {
    expect(templateHash(template, collisions)).toBe(expected);
  });

  test('nothing, null and empty are the same; another image is not', () => {
    const padded = {
      ...small,
      metadata: { ...small.metadata, creationTimestamp: null, annotations: {} },
      spec: { ...small.spec!, volumes: [] },
    };
    expect(templateHash(padded as unknown as PodTemplateSpec)).toBe('6d8fb79cf5');
    expect(templateHash({ ...small, spec: { containers: [{ name: 'app', image: 'app:v2' }] } })).not.toBe('6d8fb79cf5');
  });
});

test.each([
  [
    '0',
    '{i:(resource.int64Amount){value:(int64)0 scale:(resource.Scale)0} d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} s:(string)0 Format:(resource.Format)DecimalSI}',
  ],
  [
    '1500m',
    '{i:(resource.int64Amount){value:(int64)1500 scale:(resource.Scale)-3} d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} s:(string)1500m Format:(resource.Format)DecimalSI}',
  ],
  [
    '3e6',
    '{i:(resource.int64Amount){value:(int64)3 scale:(resource.Scale)6} d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} s:(string)3e6 Format:(resource.Format)DecimalExponent}',
  ],
  [
    '7Gi',
    '{i:(resource.int64Amount){value:(int64)7516192768 scale:(resource.Scale)0} d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} s:(string)7Gi Format:(resource.Format)BinarySI}',
  ],
  [
    '8Gi',
    '{i:(resource.int64Amount){value:(int64)8589934592 scale:(resource.Scale)0} d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} s:(string) Format:(resource.Format)BinarySI}',
  ],
  [
    '100Ti',
    '{i:(resource.int64Amount){value:(int64)0 scale:(resource.Scale)0} d:(resource.infDecAmount){Dec:(*inf.Dec){unscaled:(big.Int){neg:(bool)false abs:(big.nat)[8568098291072368640 5960]} scale:(inf.Scale)9}} s:(string) Format:(resource.Format)BinarySI}',
  ],
])('the quantity %s as Go prints it', (text, expected) => {
  expect(dumpQuantity(text)).toBe(expected);
});

test('an object as Go prints it', () => {
  const probe = { httpGet: { path: '/', port: 80 }, periodSeconds: 10 };
  expect(dumpForHash('*v1.Probe', probe)).toBe(
    '(*v1.Probe){ProbeHandler:(v1.ProbeHandler){Exec:(*v1.ExecAction)<nil> HTTPGet:(*v1.HTTPGetAction){Path:(string)/ ' +
      'Port:(intstr.IntOrString){Type:(intstr.Type)0 IntVal:(int32)80 StrVal:(string)} Host:(string) Scheme:(v1.URIScheme) ' +
      'HTTPHeaders:([]v1.HTTPHeader)<nil>} TCPSocket:(*v1.TCPSocketAction)<nil> GRPC:(*v1.GRPCAction)<nil>} ' +
      'InitialDelaySeconds:(int32)0 TimeoutSeconds:(int32)0 PeriodSeconds:(int32)10 SuccessThreshold:(int32)0 ' +
      'FailureThreshold:(int32)0 TerminationGracePeriodSeconds:(*int64)<nil>}',
  );
  expect(dumpForHash('*v1.Probe', undefined)).toBe('(*v1.Probe)<nil>');
});
