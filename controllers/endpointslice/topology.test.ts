import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { EndpointSlice, Node } from '#pkg/api';
import { semanticEqual } from '#pkg/base';
import { at } from '#pkg/testing';

import type { Endpoint } from '../internal/endpoints/index.ts';
import { sliceOf } from '../internal/endpoints/endpoints.fixture.ts';
import type { Slices } from './hints.ts';
import { usesTopologyAnnotation } from './topology-annotation.ts';
import { TopologyHints, isOverloaded, topologyHints } from './topology-hints.ts';
import { ZoneCapacity, milliCpu } from './zone-capacity.ts';

interface NodeParts {
  readonly zone?: string;
  readonly cpu?: string;
  readonly ready?: boolean;
  readonly labels?: Record<string, string>;
}

function node(name: string, { zone, cpu, ready = true, labels = {} }: NodeParts): Node {
  return {
    metadata: {
      name,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: at(0),
      labels: { ...labels, ...(zone ? { 'topology.kubernetes.io/zone': zone } : {}) },
    },
    status: { allocatable: cpu ? { cpu } : {}, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

describe('the CPU of zones', () => {
  const ratios = (...nodes: Node[]) => {
    const zones = new ZoneCapacity();
    for (const one of nodes) zones.set(one);
    return zones.ratios && Object.fromEntries(zones.ratios);
  };

  test('is that of ready nodes', () => {
    const a = node('a', { zone: 'x', cpu: '1' });
    const b = node('b', { zone: 'y', cpu: '2500m' });
    const c = node('c', { zone: 'y', cpu: '500m' });
    expect(ratios(a, b, c)).toEqual({ x: 0.25, y: 0.75 });
    expect(ratios(a, b, c, node('d', { zone: 'z', cpu: '100', ready: false }))).toEqual({ x: 0.25, y: 0.75 });
    expect(
      ratios(a, b, c, node('d', { zone: 'x', cpu: '100', labels: { 'node-role.kubernetes.io/control-plane': '' } })),
    ).toEqual({ x: 0.25, y: 0.75 });
  });

  test('is not known without zone or CPU of one of them, or in a single zone', () => {
    const a = node('a', { zone: 'x', cpu: '1' });
    const b = node('b', { zone: 'y', cpu: '1' });
    expect(ratios()).toEqual({});
    expect(ratios(a)).toBeUndefined();
    expect(ratios(a, b, node('c', { cpu: '1' }))).toBeUndefined();
    expect(ratios(a, b, node('c', { zone: 'x' }))).toBeUndefined();
  });

  test('follows the nodes, and says whether that makes a difference', () => {
    const zones = new ZoneCapacity();
    const told = [
      zones.set(node('a', { zone: 'x', cpu: '1' })),
      zones.set(node('b', { zone: 'y', cpu: '1' })),
      zones.set(node('b', { zone: 'y', cpu: '1' })),
      zones.set(node('c', { zone: 'y' })),
      zones.set(node('c', { zone: 'y', cpu: '2' })),
      zones.delete('c'),
      zones.delete('unheard of'),
      zones.set(node('b', { zone: 'y', cpu: '1', ready: false })),
    ];
    expect(told).toEqual([true, true, false, true, true, true, false, true]);
  });

  test.each([
    ['4', 4000],
    ['250m', 250],
    ['0.1', 100],
    ['1e3', 1e6],
    ['1k', 1e6],
    ['500u', 0.5],
    ['1Ki', 1_024_000],
    ['.5', 500],
    ['0', 0],
    ['', 0],
    ['x', 0],
    [undefined, 0],
  ])('of %s is %d thousandths', (quantity, milli) => expect(milliCpu(quantity)).toBe(milli));
});

const endpoints = (zone: string, count: number, rest: Partial<Endpoint> = {}): Endpoint[] =>
  Array.from({ length: count }, (_, i) => ({ addresses: [`${zone}${i}`], conditions: { ready: true }, zone, ...rest }));
const fresh = (...all: Endpoint[]): Slices => ({ create: [{ ports: [], endpoints: all }], update: [], unchanged: [] });
const hintsIn = ({ create, update, unchanged }: Slices): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { hints } of [...create, ...update, ...unchanged].flatMap((slice) => slice.endpoints ?? [])) {
    for (const { name } of hints?.forZones ?? []) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
};

describe('hints by topology', () => {
  const thirds = new Map([
    ['a', 1 / 3],
    ['b', 1 / 3],
    ['c', 1 / 3],
  ]);
  const unequal = new Map([
    ['a', 0.625],
    ['b', 0.375],
  ]);

  test.each<[string, Endpoint[], ReadonlyMap<string, number>, Record<string, number>]>([
    [
      'stay at home where zones have their part',
      [...endpoints('a', 3), ...endpoints('b', 3), ...endpoints('c', 3)],
      thirds,
      { a: 3, b: 3, c: 3 },
    ],
    [
      'move where they have not',
      [...endpoints('a', 5), ...endpoints('b', 2), ...endpoints('c', 2)],
      thirds,
      { a: 3, b: 3, c: 3 },
    ],
    ['go by CPU', [...endpoints('a', 4), ...endpoints('b', 4)], unequal, { a: 5, b: 3 }],
    ['move not for less than half an endpoint', [...endpoints('a', 3), ...endpoints('b', 2)], unequal, { a: 3, b: 2 }],
    [
      'leave out what is not ready',
      [...endpoints('a', 3), ...endpoints('b', 3), ...endpoints('b', 3, { conditions: { ready: false } })],
      new Map([
        ['a', 0.5],
        ['b', 0.5],
      ]),
      { a: 3, b: 3 },
    ],
  ])('%s', (_title, all, ratios, expected) => {
    const result = topologyHints(fresh(...all), ratios);
    expect('slices' in result && hintsIn(result.slices)).toEqual(expected);
    expect('counts' in result && Object.fromEntries(result.counts)).toEqual(expected);
  });

  test.each<[string, Endpoint[], ReadonlyMap<string, number> | undefined, string]>([
    [
      'nothing is known of nodes',
      endpoints('a', 9),
      undefined,
      'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes',
    ],
    ['there are no nodes', endpoints('a', 9), new Map(), 'Nodes only ready in one zone'],
    [
      'there are fewer endpoints than zones',
      endpoints('a', 2),
      thirds,
      'Insufficient number of endpoints (2 endpoints, 3 zones)',
    ],
    [
      'no fair share can be had',
      endpoints('a', 3),
      new Map([
        ['a', 0.8],
        ['b', 0.1],
        ['c', 0.1],
      ]),
      'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (3 endpoints, 3 zones)',
    ],
    [
      'an endpoint has no zone',
      [...endpoints('a', 3), ...endpoints('', 3)],
      thirds,
      'One or more endpoints do not have a zone specified',
    ],
  ])('are refused where %s', (_title, all, ratios, refused) =>
    expect(topologyHints(fresh(...all), ratios)).toEqual({ refused }),
  );

  const withHints = (name: string, zone: string, count: number): EndpointSlice =>
    sliceOf(name, {}, { endpoints: endpoints(zone, count, { hints: { forZones: [{ name: zone }] } }) });

  test('leave slices alone that have theirs, and give them to those that do not', () => {
    const halves = new Map([
      ['a', 0.5],
      ['b', 0.5],
    ]);
    const bare = sliceOf('bare', {}, { endpoints: endpoints('b', 2) });
    const result = topologyHints(
      { create: [], update: [], unchanged: [withHints('a', 'a', 3), withHints('b', 'b', 2), bare] },
      halves,
    );
    if (!('slices' in result)) throw new Error(result.refused);
    expect(result.slices.unchanged.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    expect(result.slices.update.map(({ existing }) => existing!.metadata.name)).toEqual(['bare']);
    expect(hintsIn(result.slices)).toEqual({ a: 3, b: 4 });
  });

  test('are given anew where a zone has more than it may, or is no zone any more', () => {
    const halves = new Map([
      ['a', 0.5],
      ['b', 0.5],
    ]);
    const result = topologyHints(
      { create: [], update: [], unchanged: [withHints('a', 'a', 6), withHints('gone', 'c', 2)] },
      halves,
    );
    if (!('slices' in result)) throw new Error(result.refused);
    expect(result.slices.update).toHaveLength(2);
    expect(hintsIn(result.slices)).toEqual({ a: 4, b: 2, c: 2 });
  });

  test('come to rest, and are for as many endpoints as there are', () => {
    const zones = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 2, maxLength: 5 });
    const homes = fc.array(fc.nat(4), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(zones, homes, fc.integer({ min: 1, max: 20 }), (cpus, all, limit) => {
        const total = cpus.reduce((sum, cpu) => sum + cpu, 0);
        const ratios = new Map(cpus.map((cpu, i) => [`z${i}`, cpu / total]));
        const bare = all.map((home, i): Endpoint => ({
          addresses: [`e${i}`],
          conditions: { ready: true },
          zone: `z${home % cpus.length}`,
        }));
        let slices = Array.from({ length: Math.ceil(bare.length / limit) }, (_, i) =>
          sliceOf(`s${i}`, {}, { endpoints: bare.slice(i * limit, (i + 1) * limit) }),
        );
        for (let look = 0; look < 4; look++) {
          const result = topologyHints({ create: [], update: [], unchanged: slices }, ratios);
          if ('refused' in result) return;
          expect(Object.values(hintsIn(result.slices)).reduce((sum, count) => sum + count, 0)).toBe(all.length);
          const changed = new Map(
            result.slices.update
              .filter(({ existing, endpoints: now }) => !semanticEqual(existing!.endpoints, now))
              .map((draft) => [draft.existing, draft]),
          );
          if (changed.size === 0) return;
          slices = slices.map((slice) => ({
            ...slice,
            ...(changed.has(slice) ? { endpoints: changed.get(slice)!.endpoints } : {}),
          }));
        }
        expect.fail('hints change with every look');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a Service with hints', () => {
  const halves = new Map([
    ['a', 0.5],
    ['b', 0.5],
  ]);
  const spread = fresh(...endpoints('a', 2), ...endpoints('b', 2));

  test('is told of them once, and of their end', () => {
    const hints = new TopologyHints();
    expect(hints.leave('default/web', 'IPv4')).toBeUndefined();
    expect(hints.hint('default/web', 'IPv4', spread, halves).event).toEqual({
      type: 'Normal',
      reason: 'TopologyAwareHintsEnabled',
      message: 'Topology Aware Hints has been enabled, addressType: IPv4',
    });
    expect(hints.hint('default/web', 'IPv4', spread, halves).event).toBeUndefined();
    expect(hints.leave('default/web', 'IPv4')).toEqual({
      type: 'Warning',
      reason: 'TopologyAwareHintsDisabled',
      message: 'Topology Aware Hints has been disabled, addressType: IPv4',
    });
    const refused = hints.hint('default/web', 'IPv6', spread, undefined);
    expect(refused.event).toMatchObject({ type: 'Warning', reason: 'TopologyAwareHintsDisabled' });
    expect(hintsIn(refused.slices)).toEqual({});
  });

  test('is looked at again when a zone has too few', () => {
    const hints = new TopologyHints();
    hints.hint('default/web', 'IPv4', spread, halves);
    expect(hints.overloaded(halves)).toEqual([]);
    expect(
      hints.overloaded(
        new Map([
          ['a', 0.9],
          ['b', 0.1],
        ]),
      ),
    ).toEqual(['default/web']);
    expect(
      hints.overloaded(
        new Map([
          ['a', 0.5],
          ['c', 0.5],
        ]),
      ),
    ).toEqual(['default/web']);
    expect(hints.overloaded(undefined)).toEqual(['default/web']);
    hints.forget('default/web');
    expect(hints.overloaded(undefined)).toEqual([]);
  });

  test.each<[Record<string, number>, Record<string, number> | undefined, boolean]>([
    [{}, undefined, false],
    [{ a: 5 }, undefined, true],
    [{ a: 5, b: 5 }, { a: 0.5, b: 0.5 }, false],
    [{ a: 6, b: 4 }, { a: 0.4, b: 0.6 }, true],
    [{ a: 5 }, { a: 1, b: 0 }, true],
  ])('%o of %o is overloaded: %s', (counts, ratios, overloaded) => {
    expect(isOverloaded(new Map(Object.entries(counts)), ratios && new Map(Object.entries(ratios)))).toBe(overloaded);
  });
});

test.each<[Record<string, string>, boolean]>([
  [{}, false],
  [{ 'service.kubernetes.io/topology-mode': 'Auto' }, true],
  [{ 'service.kubernetes.io/topology-aware-hints': 'auto' }, true],
  [{ 'service.kubernetes.io/topology-mode': 'Disabled' }, false],
  [{ 'service.kubernetes.io/topology-mode': 'Auto', 'service.kubernetes.io/topology-aware-hints': 'disabled' }, false],
])('%o asks for hints by topology: %s', (annotations, asks) => expect(usesTopologyAnnotation(annotations)).toBe(asks));
