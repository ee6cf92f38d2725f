import * as pulumi from '@pulumi/pulumi';
import { expect, test } from 'vitest';
import { orderInWaves } from '../../src/pulumi/components/waves.ts';
import { readSettings } from '../../stacks/settings.ts';

const traffic = 'verdigris:index:Traffic';
const begun: string[] = [];
const ended: string[] = [];
let most = 0;
await pulumi.runtime.setMocks({
  newResource: async ({ type, name, inputs }) => {
    if (type === traffic) {
      begun.push(`${name} after ${[...ended].sort().join(' ')}`);
      most = Math.max(most, begun.length - ended.length);
      await new Promise((resolve) => setTimeout(resolve, 20));
      ended.push(name);
    }
    return { id: name, state: { ...(inputs as object), address: 'a:5432', state: 'single', release: '1' } };
  },
  call: () => ({}),
});

const declaration = (name: string) => ({
  name,
  platform: 'kubernetes',
  database: 'shop',
  roles: { application: ['app'] },
  live: 'blue',
  colours: { blue: { release: '1', postgres: 17 } },
  kubernetes: { namespace: 'shops', images: { pooler: 'p:1' } },
});

const all = Object.fromEntries(['e', 'd', 'c', 'b', 'a'].map((name) => [name, declaration(name)]));

test('one program begins an environment only when those of the wave before are done, and no more at a time than is said', async () => {
  pulumi.runtime.setAllConfig({
    'verdigris:environments': JSON.stringify(all),
    'verdigris:waves': JSON.stringify([{ environments: ['a'] }, { environments: ['b', 'c', 'd'], atATime: 2 }]),
  });
  const { program } = await import('../../stacks/program.ts');
  const outputs = program('/project');
  await new Promise((resolve) => pulumi.all(Object.values(outputs)).apply(resolve));
  await pulumi.runtime.disconnect();
  expect(begun[0]).toBe('a after ');
  expect(begun.slice(1, 3).sort()).toEqual(['b after a', 'c after a']);
  expect(begun[3]).toMatch(/^d after a b/);
  expect(begun[4]).toBe('e after a b c d');
  expect(most).toBe(2);
});

test('what comes before each: the wave before, or the one whose place it takes', () => {
  const waves = [{ environments: ['a'] }, { environments: ['b', 'c', 'd'], atATime: 2 }];
  expect([...orderInWaves(['e', 'd', 'c', 'b', 'a'], waves)]).toEqual([
    ['a', []],
    ['b', ['a']],
    ['c', ['a']],
    ['d', ['b']],
    ['e', ['b', 'c', 'd']],
  ]);
  expect([...orderInWaves(['x', 'y'], [])]).toEqual([
    ['x', []],
    ['y', []],
  ]);
});

test('a share of failures is refused by name: Pulumi has none', () => {
  for (const stopAt of ['2', '25%']) {
    const config = {
      getObject: (key: string) => ({ environments: all })[key],
      get: (key: string) => ({ stopAt })[key],
    } as unknown as pulumi.Config;
    expect(() => readSettings(config, '/p')).toThrow(/verdigris:stopAt is not possible.*verdigris fleet release/);
  }
});

test('waves of environments that are not there, or are there twice, are refused', () => {
  for (const waves of [
    [{ environments: ['nobody'] }],
    [{ environments: ['a'] }, { environments: ['a'] }],
    [{ environments: [] }],
    [{ environments: ['a'], atATime: 0 }],
  ]) {
    const config = {
      getObject: (key: string) => ({ environments: all, waves })[key],
      get: () => undefined,
    } as unknown as pulumi.Config;
    expect(() => readSettings(config, '/p')).toThrow(expect.objectContaining({ id: 'stack-configuration' }));
  }
});
