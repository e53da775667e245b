import { type JsonObject, ensureObject, listAt, objectAt, objectsAt, stringAt } from '../json.ts';
import { forbidden } from '../refusals.ts';
import type { Store } from '../store/index.ts';

const PODS = { group: '', resource: 'pods' };
/** How long a Pod stays on a node that is in trouble (`plugin/pkg/admission/defaulttolerationseconds`). */
const TOLERATED_SECONDS = 300;
const TROUBLES = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** What admission plugins that are on by default put into a new Pod. */
export function admitPod(store: Store, pod: JsonObject): void {
  const spec = ensureObject(pod, 'spec');
  admitPriority(store, pod, spec);
  tolerateTroubles(spec);
}

/** `plugin/pkg/admission/priority`: the class's value, and whether the Pod may push others out. */
function admitPriority(store: Store, pod: JsonObject, spec: JsonObject): void {
  let className = stringAt(spec, 'priorityClassName') ?? '';
  let priority = 0;
  let policy = 'PreemptLowerPriority';
  if (className === '') className = defaultClass(store) ?? '';
  if (className !== '') {
    const found = store.get('priorityclasses.scheduling.k8s.io', className)?.object;
    if (found === undefined) {
      throw forbidden(PODS, nameOf(pod), `no PriorityClass with name ${className} was found`);
    }
    spec['priorityClassName'] = className;
    priority = Number(found['value'] ?? 0);
    policy = stringAt(found, 'preemptionPolicy') ?? policy;
  }
  const given = spec['priority'];
  if (typeof given === 'number' && given !== priority) {
    const why = `the integer value of priority (${given}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`;
    throw forbidden(PODS, nameOf(pod), why);
  }
  spec['priority'] = priority;
  spec['preemptionPolicy'] ??= policy;
}

/** Refusals name what is known: the prefix, where the name is still to be generated (`extractResourceName` of admission). */
function nameOf(pod: JsonObject): string {
  const metadata = objectAt(pod, 'metadata');
  return (stringAt(metadata, 'name') || stringAt(metadata, 'generateName')) ?? '';
}

function defaultClass(store: Store): string | undefined {
  const defaults = store.page('priorityclasses.scheduling.k8s.io', {
    matches: (entry) => entry.object['globalDefault'] === true,
  }).entries;
  const lowest = defaults.toSorted((a, b) => Number(a.object['value']) - Number(b.object['value']))[0];
  return lowest?.key;
}

function tolerateTroubles(spec: JsonObject): void {
  const tolerations = objectsAt(spec, 'tolerations');
  const missing = TROUBLES.filter((key) => !tolerations.some((toleration) => tolerates(toleration, key)));
  if (missing.length === 0) return;
  const added = missing.map((key) => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: TOLERATED_SECONDS,
  }));
  spec['tolerations'] = [...listAt(spec, 'tolerations'), ...added];
}

function tolerates(toleration: JsonObject, key: string): boolean {
  const effect = stringAt(toleration, 'effect') ?? '';
  const tolerated = stringAt(toleration, 'key') ?? '';
  return (tolerated === key || tolerated === '') && (effect === 'NoExecute' || effect === '');
}
