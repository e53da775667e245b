import { type ConfigMap, type KubeObject, type ResourceType, groupResource, resources } from '#pkg/api';
import { seededRandom } from '#pkg/base';
import { type InformerFactory, type InformerFactoryOptions, createInformerFactory } from '#pkg/cache';
import type { ResourceClient } from '#pkg/client';
import type { Fields, Logger } from '#pkg/log';
import { Metrics } from '#pkg/metrics';

import { FakeClock } from './fake-clock.ts';
import { ScriptedCollection } from './scripted-collection.ts';

/** An informer factory on scripted collections and a fake clock. */
export interface InformerWorld {
  readonly clock: FakeClock;
  readonly metrics: Metrics;
  readonly factory: InformerFactory;
  readonly configMaps: ScriptedCollection<ConfigMap>;
  /** The collection of any other resource, made when first asked for. */
  readonly collection: (type: ResourceType) => ScriptedCollection;
  /** `level message`, in order. */
  readonly lines: string[];
  /** Stops what `start` began; `await factory.shutdown()` after it. */
  readonly stop: AbortController;
  /** The value of a sample of the exposition: `sample('informer_objects{', 'resource="pods"')`. */
  readonly sample: (name: string, ...labels: string[]) => Promise<number>;
}

export function informerWorld(
  options: Partial<InformerFactoryOptions> & { readonly seed?: number } = {},
): InformerWorld {
  const clock = new FakeClock();
  const metrics = new Metrics();
  const configMaps = new ScriptedCollection<ConfigMap>();
  const collections = new Map<string, unknown>([[groupResource(resources.configMaps), configMaps]]);
  function collection<T extends KubeObject>(type: ResourceType<T>): ScriptedCollection<T> {
    const known = collections.get(groupResource(type)) ?? new ScriptedCollection<T>();
    collections.set(groupResource(type), known);
    return known as ScriptedCollection<T>;
  }
  const client = {
    resource: <T extends KubeObject>(type: ResourceType<T>): Pick<ResourceClient<T>, 'list' | 'watch'> =>
      collection(type),
  };
  const lines: string[] = [];
  const factory = createInformerFactory({
    client,
    clock,
    metrics,
    random: seededRandom(options.seed ?? 1),
    log: recordingLogger(lines),
    freeze: true,
    name: 'test',
    ...options,
  });
  async function sample(name: string, ...labels: string[]): Promise<number> {
    const exposed = (await metrics.expose()).split('\n');
    const line = exposed.find((one) => one.startsWith(name) && labels.every((label) => one.includes(label)));
    return line === undefined ? Number.NaN : Number(line.slice(line.lastIndexOf(' ')));
  }
  return { clock, metrics, factory, configMaps, collection, lines, stop: new AbortController(), sample };
}

function recordingLogger(lines: string[]): Logger {
  const render = (level: string, message: string, fields?: Fields): void => {
    const data = Object.entries(fields ?? {}).map(([name, value]) => ` ${name}=${String(value)}`);
    lines.push(`${level} ${message}${data.join('')}`);
  };
  const logger: Logger = {
    info: (message, fields) => render('info', message, fields),
    warning: (message, fields) => render('warning', message, fields),
    error: (message, _, fields) => render('error', message, fields),
    v: () => undefined,
    with: () => logger,
  };
  return logger;
}
