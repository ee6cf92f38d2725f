import * as pulumi from '@pulumi/pulumi';
import { expect, test } from 'vitest';
import { readSettings } from '../../stacks/settings.ts';

const made: pulumi.runtime.MockResourceArgs[] = [];
await pulumi.runtime.setMocks({
  newResource: (args) => {
    made.push(args);
    return { id: `${args.name}-id`, state: { ...args.inputs, address: 'a:5432', state: 'single', release: '1' } };
  },
  call: () => ({}),
});

const declaration = {
  name: 'shop',
  platform: 'kubernetes',
  database: 'shop',
  roles: { application: ['app'] },
  live: 'blue',
  colours: { blue: { release: '1', postgres: 17 } },
  kubernetes: { namespace: 'shops', images: { pooler: 'p:1' } },
};

test('the program declares every environment: plain resources, and Traffic with the live colour apart', async () => {
  pulumi.runtime.setAllConfig({
    'verdigris:environments': JSON.stringify({ shop: declaration, other: { ...declaration, name: 'other' } }),
  });
  const { program } = await import('../../stacks/program.ts');
  const outputs = program('/project');
  const shop = await new Promise((resolve) => outputs['shop']?.apply(resolve));
  expect(shop).toEqual({
    address: 'a:5432',
    live: 'blue',
    state: 'single',
    release: '1',
    pauseMs: undefined,
    secrets: { app: 'shop-role-app' },
    addresses: {
      rw: 'postgresql://shop-pooler.shops.svc:5432/shop',
      ro: 'postgresql://shop-pooler.shops.svc:5432/shop_ro',
    },
  });
  await pulumi.runtime.disconnect();
  const { live, ...environment } = declaration;
  expect(made.find(({ type, name }) => type === 'verdigris:index:Traffic' && name === 'shop')?.inputs).toEqual({
    live,
    environment,
    folder: '/project',
    onDestroy: 'keep',
  });
  expect(
    made
      .filter(({ type }) => type === 'kubernetes:networking.k8s.io/v1:NetworkPolicy')
      .map(({ inputs }) => (inputs as { metadata: { name: string } }).metadata.name)
      .sort(),
  ).toEqual(['other-database', 'other-pooler', 'shop-database', 'shop-pooler']);
  expect(made.filter(({ type }) => type === 'kubernetes:policy/v1:PodDisruptionBudget')).toHaveLength(2);
  expect(new Set(made.map(({ type, name }) => `${type} ${name}`)).size).toBe(made.length);
});

test('a key of the configuration that nobody reads is refused, with the one that was meant', async () => {
  pulumi.runtime.setAllConfig({ 'verdigris:enviroments': '{}', 'aws:region': 'eu-west-1' });
  const { program } = await import('../../stacks/program.ts');
  expect(() => program('/project')).toThrow(
    'verdigris:enviroments is not a key that Verdigris knows: did you mean verdigris:environments?',
  );
});

test('a configuration that does not fit is refused whole', () => {
  const config = (environments: unknown, onDestroy?: string) =>
    ({
      getObject: (key: string) => (key === 'environments' ? environments : undefined),
      get: () => onDestroy,
    }) as unknown as pulumi.Config;
  const all = ['environments', 'waves', 'onDestroy', 'import', 'kubeconfig', 'context', 'previewFails'];
  expect(readSettings(config({ shop: declaration }), '/p', all)).toEqual({
    environments: { shop: { declaration, folder: '/p' } },
    waves: [],
    onDestroy: 'keep',
    import: [],
  });
  expect(() => readSettings(config({ shop: './none.yaml' }), '/p')).toThrow('/p/none.yaml holds no declaration');
  for (const [environments, onDestroy] of [
    [undefined],
    [{}],
    [{ 'Shop!': declaration }],
    [{ shop: declaration }, 'maybe'],
  ] as const) {
    expect(() => readSettings(config(environments, onDestroy), '/p')).toThrow(
      expect.objectContaining({ code: 'declaration', id: 'stack-configuration' }),
    );
  }
});
