import { expect, test } from 'vitest';
import { objectChanges } from '../../../src/cli/up/object-changes.ts';

const service = (colour: string) => ({ kind: 'Service', spec: { selector: { app: 'shop', colour } } });
const route = (blue: number) => ({ spec: { tcp: [{ route: [{ weight: blue }, { weight: 100 - blue }] }] } });

test('a switchover shows selectors and weights, a retire what it deletes, a seed what it makes', () => {
  expect(
    objectChanges(
      {
        'Service/shop-rw': service('blue'),
        'VirtualService/shop-rw': route(100),
        'Service/shop-blue': service('blue'),
      },
      { 'Service/shop-rw': service('green'), 'VirtualService/shop-rw': route(0), 'Service/shop-blue': service('blue') },
    ),
  ).toEqual([
    '~ Service/shop-rw: spec.selector.colour: blue → green',
    '~ VirtualService/shop-rw: spec.tcp.0.route.0.weight: 100 → 0, spec.tcp.0.route.1.weight: 0 → 100',
  ]);
  expect(objectChanges({ 'StatefulSet/a': {}, 'Service/x': {} }, { 'Service/x': {}, 'StatefulSet/b': {} })).toEqual([
    '- StatefulSet/a',
    '+ StatefulSet/b',
  ]);
});

test('of an object with many changes the first are named; long texts are not', () => {
  expect(objectChanges({ a: { b: 1, c: 2, d: 3, e: 4, f: 5 } }, { a: { g: 'x\ny' } })).toEqual([
    '~ a: b: 1 → none, c: 2 → none, d: 3 → none, and 3 more',
  ]);
  expect(objectChanges({ a: { g: 'x' } }, { a: { g: 'x\ny' } })).toEqual(['~ a: g: x → …']);
  expect(objectChanges(undefined, undefined)).toEqual([]);
});
