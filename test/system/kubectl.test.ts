import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { Kubectl, findKubectl } from '../harness/kubectl.ts';
import { type Stage, openStage } from '../harness/workspace.ts';

const present = findKubectl() !== undefined;
const why = present ? '' : ' (no kubectl on PATH: skipped)';

let stage: Stage;
let cache: string;
beforeAll(async () => {
  if (!present) return;
  cache = await mkdtemp(join(tmpdir(), 'kubectl-cache-'));
  stage = await openStage({
    controllers: [
      'deployment-controller',
      'replicaset-controller',
      'garbage-collector-controller',
      'namespace-controller',
    ],
  });
}, 150_000);
afterAll(async () => {
  if (!present) return;
  await stage.stop();
  await rm(cache, { recursive: true, force: true });
}, 30_000);

const test = base.extend<{ kubectl: Kubectl }>({
  kubectl: async ({ task }, use) => {
    const { namespace } = await stage.workspace(task.name);
    await use(new Kubectl(stage.plane.adminKubeconfig, namespace, cache));
  },
});

function manifest(replicas = 3, image = 'app:v1'): string {
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'app', image, ports: [{ containerPort: 80 }] }] },
      },
    },
  });
}

/** A kind with a scale and columns of its own. */
function definition(group: string): string {
  const size = { type: 'string', enum: ['small', 'large'], description: 'How large.' };
  const spec = { type: 'object', required: ['size'], properties: { size, replicas: { type: 'integer', default: 1 } } };
  const schema = {
    type: 'object',
    properties: { spec, status: { type: 'object', properties: { replicas: { type: 'integer' } } } },
  };
  const column = (name: string, type: string, jsonPath: string): object => ({ name, type, jsonPath });
  return JSON.stringify({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `gadgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'gadgets', kind: 'Gadget' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
          },
          additionalPrinterColumns: [
            column('Size', 'string', '.spec.size'),
            column('Replicas', 'integer', '.spec.replicas'),
            column('Age', 'date', '.metadata.creationTimestamp'),
          ],
          selectableFields: [{ jsonPath: '.spec.size' }],
        },
      ],
    },
  });
}

const apply = (kubectl: Kubectl, text = manifest(), ...flags: string[]): Promise<string> =>
  kubectl.run(['apply', '-f', '-', ...flags], text);

async function rolledOut(kubectl: Kubectl): Promise<void> {
  expect(await kubectl.run(['rollout', 'status', 'deploy/web', '--timeout=30s'])).toMatch(
    /deployment "web" successfully rolled out$/,
  );
}

describe.skipIf(!present).concurrent(`kubectl on the ${controlPlaneKind()}${why}`, { timeout: 90_000 }, () => {
  test('apply on the client: created, unchanged, configured; dry runs change nothing', async ({ kubectl }) => {
    expect(await apply(kubectl)).toBe('deployment.apps/web created');
    expect(await apply(kubectl)).toBe('deployment.apps/web unchanged');
    expect(await apply(kubectl, manifest(5), '--dry-run=server')).toBe(
      'deployment.apps/web configured (server dry run)',
    );
    expect(await kubectl.run(['get', 'deploy', 'web', '-o', 'jsonpath={.spec.replicas}'])).toBe('3');
    expect(await apply(kubectl, manifest(2))).toBe('deployment.apps/web configured');
    const { code, output } = await kubectl.try(['diff', '-f', '-'], manifest(4));
    expect(code).toBe(1);
    expect(output).toMatch(/^- {2}replicas: 2\n\+ {2}replicas: 4$/m);
    await rolledOut(kubectl);
    expect(await kubectl.run(['get', 'pods', '-o', 'name'])).toMatch(/^(pod\/web-[a-z0-9]+-[a-z0-9]{5}\n?){2}$/);
  });

  test('apply on the server: owned fields, conflicts, force', async ({ kubectl }) => {
    expect(await apply(kubectl, manifest(), '--server-side')).toBe('deployment.apps/web serverside-applied');
    const refused = await kubectl.fail(['apply', '-f', '-', '--server-side', '--field-manager=other'], manifest(5));
    expect(refused).toMatch(/^error: Apply failed with 1 conflict: conflict with "kubectl": \.spec\.replicas\n/);
    const forced = await apply(kubectl, manifest(5), '--server-side', '--field-manager=other', '--force-conflicts');
    expect(forced).toBe('deployment.apps/web serverside-applied');
    const managers = await kubectl.run([
      'get',
      'deploy',
      'web',
      '-o',
      'jsonpath={.metadata.managedFields[?(@.operation=="Apply")].manager}',
      '--show-managed-fields',
    ]);
    expect(managers.split(' ').toSorted()).toEqual(['kubectl', 'other']);
    expect(await kubectl.run(['get', 'deploy', 'web', '-o', 'jsonpath={.spec.replicas}'])).toBe('5');
  });

  test('get and describe', async ({ kubectl }) => {
    expect(await kubectl.run(['get', 'all'])).toMatch(/^No resources found in test-\S+ namespace\.$/);
    await apply(kubectl);
    await rolledOut(kubectl);
    const wide = (await kubectl.run(['get', 'deploy', 'web', '-o', 'wide']))
      .split('\n')
      .map((line) => line.split(/ +/));
    expect(wide[0]).toEqual(['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE', 'CONTAINERS', 'IMAGES', 'SELECTOR']);
    expect(wide[1]!.toSpliced(4, 1)).toEqual(['web', '3/3', '3', '3', 'app', 'app:v1', 'app=web']);
    const yaml = await kubectl.run(['get', 'deploy', 'web', '-o', 'yaml']);
    expect(yaml).toContain('progressDeadlineSeconds: 600\n');
    expect(yaml).not.toContain('managedFields');
    expect(JSON.parse(await kubectl.run(['get', 'rs', '-o', 'json']))).toMatchObject({
      kind: 'List',
      items: [{ kind: 'ReplicaSet', status: { readyReplicas: 3 } }],
    });
    expect((await kubectl.run(['get', 'pods', '-l', 'app in (web)', '--no-headers'])).split('\n')).toHaveLength(3);
    expect(await kubectl.run(['get', 'pods', '-l', 'app!=web'])).toMatch(/^No resources found/);
    expect(await kubectl.run(['get', 'pods', '--field-selector', 'spec.nodeName=nowhere'])).toMatch(
      /^No resources found/,
    );
    expect(
      await kubectl.run(['get', 'deploy', '-o', 'custom-columns=N:.metadata.name,R:.spec.replicas', '--no-headers']),
    ).toBe('web   3');
    expect(await kubectl.fail(['get', 'deploy', 'nope'])).toBe(
      'Error from server (NotFound): deployments.apps "nope" not found',
    );
    expect(await kubectl.fail(['get', 'foo'])).toBe('error: the server doesn\'t have a resource type "foo"');
    const described = await kubectl.run(['describe', 'deploy', 'web']);
    expect(described).toMatch(/^Replicas: +3 desired \| 3 updated \| 3 total \| 3 available \| 0 unavailable$/m);
    expect(described).toMatch(/^NewReplicaSet: +web-[a-z0-9]+ \(3\/3 replicas created\)$/m);
    await eventually(async () =>
      expect(await kubectl.run(['describe', 'deploy', 'web'])).toMatch(
        /Normal +ScalingReplicaSet .*deployment-controller +Scaled up replica set web-[a-z0-9]+ from 0 to 3/,
      ),
    );
    expect(await kubectl.run(['describe', 'pods'])).toMatch(/^Controlled By: +ReplicaSet\/web-[a-z0-9]+$/m);
  });

  test('get -w shows a rollout as it goes', async ({ kubectl }) => {
    await apply(kubectl);
    await rolledOut(kubectl);
    const watching = kubectl.start(
      'get',
      'deploy',
      'web',
      '-w',
      '-o',
      'jsonpath={.spec.replicas}/{.status.availableReplicas} ',
    );
    await watching.prints(/^3\/3 /);
    await kubectl.run(['scale', 'deploy', 'web', '--replicas=4']);
    await watching.prints(/ 4\/3 .*4\/4 $/);
    await watching.stop('SIGINT');
    expect(await kubectl.run(['get', 'deploy', 'web', '--no-headers'])).toMatch(/^web +4\/4 /);
  });

  test('create, and what is wrong with a manifest', async ({ kubectl }) => {
    expect(await kubectl.run(['create', 'deployment', 'two', '--image=app:v1', '--replicas=2', '--port=80'])).toBe(
      'deployment.apps/two created',
    );
    expect(await kubectl.fail(['create', 'deployment', 'two', '--image=app:v1'])).toBe(
      'error: failed to create deployment: deployments.apps "two" already exists',
    );
    const typo = manifest().replace('"replicas"', '"replcas"');
    expect(await kubectl.fail(['create', '-f', '-'], typo)).toMatch(
      /strict decoding error: unknown field "spec\.replcas"$/,
    );
    expect(await kubectl.run(['create', '-f', '-', '--validate=false', '--dry-run=server'], typo)).toBe(
      'deployment.apps/web created (server dry run)',
    );
    const mismatch = manifest().replace('"matchLabels":{"app":"web"}', '"matchLabels":{"app":"x"}');
    expect(await kubectl.fail(['create', '-f', '-'], mismatch)).toBe(
      'The Deployment "web" is invalid: spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    );
    expect(await kubectl.run(['expose', 'deploy', 'two', '--port=80'])).toBe('service/two exposed');
    expect(await kubectl.run(['create', 'configmap', 'c', '--from-literal=a=b'])).toBe('configmap/c created');
    expect(await kubectl.run(['label', 'deploy', 'two', 'team=a'])).toBe('deployment.apps/two labeled');
    expect(await kubectl.run(['annotate', 'deploy', 'two', 'note=x'])).toBe('deployment.apps/two annotated');
  });

  test('edit and patch', async ({ kubectl }) => {
    await apply(kubectl);
    const edit = (script: string): Promise<{ code: number; output: string }> =>
      kubectl.try(['edit', 'deploy', 'web'], '', { KUBE_EDITOR: `sed -i ${script}` });
    expect(await edit('s/replicas:.3/replicas:\\ 4/')).toEqual({ code: 0, output: 'deployment.apps/web edited' });
    expect(await edit('s/nothing/nothing/')).toEqual({ code: 0, output: 'Edit cancelled, no changes made.' });
    expect((await edit('s/replicas:.4/replicas:\\ -4/')).output).toMatch(
      /^error: deployments\.apps "web" is invalid\n/,
    );
    const patch = (type: string, body: string): Promise<string> =>
      kubectl.run(['patch', 'deploy', 'web', `--type=${type}`, '-p', body]);
    expect(await patch('json', '[{"op":"replace","path":"/spec/replicas","value":2}]')).toBe(
      'deployment.apps/web patched',
    );
    expect(await patch('merge', '{"spec":{"replicas":2}}')).toBe('deployment.apps/web patched (no change)');
    expect(
      await patch('strategic', '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"side:v1"}]}}}}'),
    ).toBe('deployment.apps/web patched');
    expect(await kubectl.run(['get', 'deploy', 'web', '-o', 'jsonpath={.spec.template.spec.containers[*].name}'])).toBe(
      'side app',
    );
    expect(
      await kubectl.fail(['patch', 'deploy', 'web', '--type=json', '-p', '[{"op":"remove","path":"/spec/nope"}]']),
    ).toBe('The request is invalid: the server rejected our request due to an error in our request');
    expect(await kubectl.fail(['patch', 'deploy', 'web', '--type=merge', '-p', '{"spec":{"replicas":-1}}'])).toBe(
      'The Deployment "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    );
    expect(await kubectl.run(['replace', '-f', '-'], manifest())).toBe('deployment.apps/web replaced');
    await rolledOut(kubectl);
  });

  test('scale', async ({ kubectl }) => {
    await apply(kubectl);
    await rolledOut(kubectl);
    expect(await kubectl.run(['scale', 'deploy', 'web', '--replicas=5'])).toBe('deployment.apps/web scaled');
    expect(await kubectl.fail(['scale', 'deploy', 'web', '--replicas=2', '--current-replicas=9'])).toBe(
      'error: Expected replicas to be 9, was 5',
    );
    expect(
      await kubectl.run([
        'patch',
        'deploy',
        'web',
        '--subresource=scale',
        '--type=merge',
        '-p',
        '{"spec":{"replicas":1}}',
      ]),
    ).toBe('scale.autoscaling/web patched');
    await rolledOut(kubectl);
    await eventually(async () =>
      expect((await kubectl.run(['get', 'pods', '-o', 'name'])).split('\n')).toHaveLength(1),
    );
  });

  test('set image, and rollout status, history, undo, pause, resume, restart', async ({ kubectl }) => {
    await apply(kubectl);
    await rolledOut(kubectl);
    const image = (): Promise<string> =>
      kubectl.run(['get', 'deploy', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}']);
    expect(await kubectl.run(['set', 'image', 'deploy/web', 'app=app:v2'])).toBe('deployment.apps/web image updated');
    await rolledOut(kubectl);
    expect(await kubectl.run(['rollout', 'history', 'deploy/web'])).toBe(
      'deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>',
    );
    expect(await kubectl.run(['rollout', 'history', 'deploy/web', '--revision=2'])).toMatch(
      /with revision #2\n[^]*Image:\s+app:v2$/m,
    );
    expect(await kubectl.run(['rollout', 'undo', 'deploy/web'])).toMatch(/^deployment\.apps\/web rolled back/);
    await rolledOut(kubectl);
    expect(await image()).toBe('app:v1');
    expect(await kubectl.run(['rollout', 'undo', 'deploy/web', '--to-revision=2'])).toMatch(
      /^deployment\.apps\/web rolled back/,
    );
    await rolledOut(kubectl);
    expect(await image()).toBe('app:v2');
    expect(await kubectl.fail(['rollout', 'undo', 'deploy/web', '--to-revision=99'])).toMatch(
      /error: unable to find specified revision 99 in history$/,
    );

    expect(await kubectl.run(['rollout', 'pause', 'deploy/web'])).toBe('deployment.apps/web paused');
    await kubectl.run(['set', 'image', 'deploy/web', 'app=app:v3']);
    expect(await kubectl.fail(['rollout', 'pause', 'deploy/web'])).toBe(
      'error: deployments.apps "web" is already paused',
    );
    expect(await kubectl.fail(['rollout', 'undo', 'deploy/web'])).toMatch(
      /error: you cannot rollback a paused deployment; resume it first/,
    );
    expect(await kubectl.run(['rollout', 'resume', 'deploy/web'])).toBe('deployment.apps/web resumed');
    await rolledOut(kubectl);
    expect(await kubectl.run(['rollout', 'restart', 'deploy/web'])).toBe('deployment.apps/web restarted');
    await rolledOut(kubectl);
    expect((await kubectl.run(['get', 'rs', '-o', 'name'])).split('\n')).toHaveLength(4);
    expect(await kubectl.run(['wait', '--for=condition=Available', 'deploy/web', '--timeout=30s'])).toBe(
      'deployment.apps/web condition met',
    );
  });

  base('delete in the background, in the foreground, and leaving orphans', async () => {
    const { namespace } = await stage.workspace('delete');
    const kubectl = new Kubectl(stage.plane.adminKubeconfig, namespace, cache);
    const left = async (): Promise<string> => kubectl.run(['get', 'deploy,rs,pods', '-o', 'name']);
    await apply(kubectl);
    await rolledOut(kubectl);
    expect(await kubectl.run(['delete', 'deploy', 'web', '--cascade=orphan'])).toMatch(
      /^deployment\.apps "web" deleted/,
    );
    await eventually(async () => {
      expect((await left()).split('\n')).toHaveLength(4);
      expect(await kubectl.run(['get', 'rs', '-o', 'jsonpath={.items[*].metadata.ownerReferences}'])).toBe('');
    });
    await apply(kubectl);
    await rolledOut(kubectl);
    expect((await kubectl.run(['get', 'rs', '-o', 'name'])).split('\n')).toHaveLength(1);
    expect(await kubectl.run(['delete', 'deploy', 'web', '--cascade=foreground'])).toMatch(
      /^deployment\.apps "web" deleted/,
    );
    expect(await kubectl.run(['get', 'deploy,rs', '-o', 'name'])).toBe('');
    await apply(kubectl);
    await rolledOut(kubectl);
    expect(await kubectl.run(['delete', 'deploy', 'web'])).toMatch(/^deployment\.apps "web" deleted/);
    await eventually(async () => expect(await left()).toBe(''));
    await apply(kubectl);
    expect(await kubectl.run(['delete', 'namespace', namespace])).toMatch(
      new RegExp(`^namespace "${namespace}" deleted|namespace "${namespace}" deleted$`),
    );
  });

  test("kinds of one's own: defined, explained, applied, scaled, printed, patched, and gone with their definition", async ({
    kubectl,
  }) => {
    const group = `${kubectl.namespace}.example.com`;
    const crd = `gadgets.${group}`;
    expect(await kubectl.run(['apply', '-f', '-'], definition(group))).toBe(
      `customresourcedefinition.apiextensions.k8s.io/${crd} created`,
    );
    expect(await kubectl.run(['wait', '--for=condition=Established', `crd/${crd}`, '--timeout=30s'])).toBe(
      `customresourcedefinition.apiextensions.k8s.io/${crd} condition met`,
    );
    const gadgets = `gadgets.v1.${group}`;
    await eventually(async () =>
      expect(await kubectl.run(['explain', 'gadgets', '--recursive', `--api-version=${group}/v1`])).toMatch(
        /^ {4}size\t<string> -required-$/m,
      ),
    );
    expect(await kubectl.run(['explain', 'gadgets.spec.size', `--api-version=${group}/v1`])).toMatch(
      /^ {4}How large\.$/m,
    );
    const gadget = (spec: object): string =>
      JSON.stringify({ apiVersion: `${group}/v1`, kind: 'Gadget', metadata: { name: 'one' }, spec });
    expect(await kubectl.run(['apply', '-f', '-'], gadget({ size: 'small' }))).toBe(`gadget.${group}/one created`);
    expect(await kubectl.run(['apply', '-f', '-'], gadget({ size: 'small' }))).toBe(`gadget.${group}/one unchanged`);
    expect(await kubectl.run(['apply', '-f', '-'], gadget({ size: 'large' }))).toBe(`gadget.${group}/one configured`);
    expect(
      await kubectl.run(['apply', '-f', '-', '--server-side', '--force-conflicts'], gadget({ size: 'small' })),
    ).toBe(`gadget.${group}/one serverside-applied`);
    expect(await kubectl.fail(['apply', '-f', '-'], gadget({ size: 'huge' }))).toContain(
      'spec.size: Unsupported value: "huge": supported values: "small", "large"',
    );
    expect(await kubectl.fail(['apply', '-f', '-'], gadget({ size: 'small', color: 'red' }))).toContain(
      'unknown field "spec.color"',
    );
    expect(await kubectl.run(['get', gadgets])).toMatch(/^NAME +SIZE +REPLICAS +AGE\none +small +1 +\d+s$/);
    expect(await kubectl.run(['scale', gadgets, 'one', '--replicas=3'])).toBe(`gadget.${group}/one scaled`);
    expect(
      await kubectl.run([
        'patch',
        gadgets,
        'one',
        '--type=merge',
        '--subresource=status',
        '-p',
        '{"status":{"replicas":3}}',
      ]),
    ).toBe(`gadget.${group}/one patched`);
    expect(
      await kubectl.run([
        'get',
        gadgets,
        'one',
        '-o',
        'jsonpath={.spec.replicas} {.status.replicas} {.metadata.generation}',
      ]),
    ).toBe('3 3 4');
    expect(await kubectl.run(['get', gadgets, '--field-selector=spec.size=small', '-o', 'name'])).toBe(
      `gadget.${group}/one`,
    );
    expect(await kubectl.run(['delete', 'crd', crd])).toMatch(
      /^customresourcedefinition\.apiextensions\.k8s\.io "gadgets\.\S+" deleted/,
    );
    expect(await kubectl.fail(['get', gadgets])).toMatch(
      /^(error: the server doesn't have a resource type|Error from server \(NotFound\))/,
    );
  });

  test('a list of several kinds is got and applied again, and an unknown kind refused', async ({ kubectl }) => {
    await kubectl.run(['apply', '-f', '-'], manifest());
    await kubectl.run(['create', 'configmap', 'settings', '--from-literal=a=1']);
    await kubectl.run(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    const list = await kubectl.run(['get', 'deploy/web', 'cm/settings', '-o', 'yaml']);
    expect(list).toMatch(/^kind: List$/m);
    // What the server counts moves on; what is applied is what the user says.
    const text = list.replaceAll(/^ +(resourceVersion|uid|generation|creationTimestamp): .*\n/gm, '');
    expect(await kubectl.run(['apply', '-f', '-'], text)).toMatch(
      /deployment\.apps\/web \w+\n.*configmap\/settings \w+/,
    );
    expect(await kubectl.run(['apply', '-f', '-'], text.replace('image: app:v1', 'image: app:v2'))).toContain(
      'deployment.apps/web configured',
    );
    const unknown = { apiVersion: 'x.example/v1', kind: 'Nothing', metadata: { name: 'n' } };
    expect(await kubectl.fail(['apply', '-f', '-'], JSON.stringify(unknown))).toMatch(
      /no matches for kind "Nothing" in version "x\.example\/v1"\nensure CRDs are installed first$/,
    );
    expect(await kubectl.run(['explain', 'deployment.spec.strategy', '--output=plaintext-openapiv2'])).toMatch(
      /^ {3}rollingUpdate\t<Object>$/m,
    );
  });

  test('api-resources, explain, version, auth can-i', async ({ kubectl }) => {
    expect(await kubectl.run(['api-resources', '--api-group=apps', '--no-headers'])).toMatch(
      /^deployments +deploy +apps\/v1 +true +Deployment$/m,
    );
    expect(await kubectl.run(['api-versions'])).toContain('apps/v1\n');
    expect(await kubectl.run(['explain', 'deployment.spec.strategy'])).toMatch(
      /^ {2}rollingUpdate\t<RollingUpdateDeployment>$/m,
    );
    expect(await kubectl.fail(['explain', 'deployment.nope'])).toMatch(/error: field "nope" does not exist$/);
    expect(await kubectl.run(['version'])).toMatch(/^Server Version: v1\./m);
    expect(await kubectl.run(['auth', 'can-i', 'create', 'deployments'])).toBe('yes');
    const account = '--as=system:serviceaccount:kube-system:deployment-controller';
    expect(await kubectl.run(['auth', 'can-i', 'update', 'deployments/status', account])).toBe('yes');
    expect(await kubectl.fail(['auth', 'can-i', 'create', 'pods', account])).toBe('no');
    expect(await kubectl.fail(['get', 'pods', '--as=bob'])).toMatch(
      /^Error from server \(Forbidden\): pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "test-\S+"$/,
    );
  });
});
