import { parseTime } from '#pkg/base';
import { type JsonObject, listAt, objectAt, objectsAt, stringAt } from '../json.ts';
import {
  NONE,
  condition,
  containerCells,
  count,
  humanDuration,
  isBeingDeleted,
  labelText,
  selectorText,
  since,
  text,
} from './format.ts';
import { podPrinter } from './pods.ts';
import type { Printer, Printers } from './types.ts';

const spec = (object: JsonObject): JsonObject | undefined => objectAt(object, 'spec');
const status = (object: JsonObject): JsonObject | undefined => objectAt(object, 'status');
const template = (object: JsonObject): JsonObject | undefined => objectAt(spec(object), 'template');
const WIDE = '*Containers|*Images|*Selector';

/** What the template's columns show with `-o wide`. */
function wideCells(object: JsonObject): string[] {
  return [...containerCells(template(object)), selectorText(objectAt(spec(object), 'selector'))];
}

const replicas: Printer = {
  columns: `#Desired|#Current|#Ready|Age|${WIDE}`,
  cells: (object, age) => [
    count(spec(object), 'replicas'),
    count(status(object), 'replicas'),
    count(status(object), 'readyReplicas'),
    age,
    ...wideCells(object),
  ],
};

export const workloadPrinters: Printers = {
  '/Pod': podPrinter,
  '/PodTemplate': {
    columns: 'Containers|Images|Pod Labels',
    cells: (object) => [
      ...containerCells(objectAt(object, 'template')),
      labelText(objectAt(objectAt(objectAt(object, 'template'), 'metadata'), 'labels')),
    ],
  },
  'apps/ReplicaSet': replicas,
  '/ReplicationController': {
    ...replicas,
    cells: (object, age, now) => [
      ...replicas.cells(object, age, now).slice(0, -1),
      labelText(objectAt(spec(object), 'selector')),
    ],
  },
  'apps/Deployment': {
    columns: `Ready|Up-to-date|Available|Age|${WIDE}`,
    cells: (object, age) => [
      `${count(status(object), 'readyReplicas')}/${count(spec(object), 'replicas')}`,
      count(status(object), 'updatedReplicas'),
      count(status(object), 'availableReplicas'),
      age,
      ...wideCells(object),
    ],
  },
  'apps/StatefulSet': {
    columns: 'Ready|Age|*Containers|*Images',
    cells: (object, age) => [
      `${count(status(object), 'readyReplicas')}/${count(spec(object), 'replicas')}`,
      age,
      ...containerCells(template(object)),
    ],
  },
  'apps/DaemonSet': {
    columns: `#Desired|#Current|#Ready|#Up-to-date|#Available|Node Selector|Age|${WIDE}`,
    cells: (object, age) => [
      ...[
        'desiredNumberScheduled',
        'currentNumberScheduled',
        'numberReady',
        'updatedNumberScheduled',
        'numberAvailable',
      ].map((key) => count(status(object), key)),
      labelText(objectAt(objectAt(template(object), 'spec'), 'nodeSelector')),
      age,
      ...wideCells(object),
    ],
  },
  'apps/ControllerRevision': {
    columns: 'Controller|Revision|Age',
    cells: (object, age) => [controllerName(object), count(object, 'revision'), age],
  },
  'batch/Job': {
    columns: `Status|Completions|Duration|Age|${WIDE}`,
    cells: (object, age, now) => [
      jobStatus(object),
      completions(object),
      jobDuration(object, now),
      age,
      ...wideCells(object),
    ],
  },
  'batch/CronJob': {
    columns: `Schedule|Timezone|?Suspend|#Active|Last Schedule|Age|${WIDE}`,
    cells: (object, age, now) => {
      const last = stringAt(status(object), 'lastScheduleTime');
      const jobSpec = objectAt(objectAt(spec(object), 'jobTemplate'), 'spec');
      return [
        text(spec(object), 'schedule'),
        text(spec(object), 'timeZone', NONE),
        spec(object)?.['suspend'] === true ? 'True' : 'False',
        listAt(status(object), 'active').length,
        last === undefined ? NONE : since(last, now),
        age,
        ...containerCells(objectAt(jobSpec, 'template')),
        selectorText(objectAt(jobSpec, 'selector')),
      ];
    },
  },
  'policy/PodDisruptionBudget': {
    columns: 'Min Available|Max Unavailable|#Allowed Disruptions|Age',
    cells: (object, age) => [
      text(spec(object), 'minAvailable', 'N/A'),
      text(spec(object), 'maxUnavailable', 'N/A'),
      count(status(object), 'disruptionsAllowed'),
      age,
    ],
  },
  'autoscaling/Scale': {
    columns: '#Desired|#Available|Age',
    cells: (object, age) => [count(spec(object), 'replicas'), count(status(object), 'replicas'), age],
  },
};

function controllerName(object: JsonObject): string {
  const owner = objectsAt(objectAt(object, 'metadata'), 'ownerReferences').find((one) => one['controller'] === true);
  if (owner === undefined) return NONE;
  const [group] = text(owner, 'apiVersion').split('/');
  const grouped = text(owner, 'apiVersion').includes('/') ? `.${group}` : '';
  return `${text(owner, 'kind').toLowerCase()}${grouped}/${text(owner, 'name')}`;
}

const ENDED = [
  ['Complete', 'Complete'],
  ['Failed', 'Failed'],
] as const;
const UNDERWAY = [
  ['Suspended', 'Suspended'],
  ['FailureTarget', 'FailureTarget'],
  ['SuccessCriteriaMet', 'SuccessCriteriaMet'],
] as const;

function jobStatus(object: JsonObject): string {
  const holds = ([type]: readonly [string, string]): boolean => condition(object, type)?.['status'] === 'True';
  const ended = ENDED.find(holds);
  if (ended !== undefined) return ended[1];
  if (isBeingDeleted(object)) return 'Terminating';
  return UNDERWAY.find(holds)?.[1] ?? 'Running';
}

function completions(object: JsonObject): string {
  const succeeded = count(status(object), 'succeeded');
  const wanted = spec(object)?.['completions'];
  if (typeof wanted === 'number') return `${succeeded}/${wanted}`;
  const parallelism = count(spec(object), 'parallelism');
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function jobDuration(object: JsonObject, now: number): string {
  const started = parseTime(stringAt(status(object), 'startTime') ?? '');
  if (Number.isNaN(started)) return '';
  const ended = parseTime(stringAt(status(object), 'completionTime') ?? '');
  return humanDuration((Number.isNaN(ended) ? now : ended) - started);
}
