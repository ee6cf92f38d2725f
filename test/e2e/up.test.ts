import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LocalWorkspace, type ProjectSettings, type Stack } from '@pulumi/pulumi/automation/index.js';
import { expect, test } from 'vitest';
import { Environment } from '../../src/components/environment.ts';
import { readJournal } from '../../src/operations/ledger.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import { withNamespace } from './support/namespace.ts';

/** A stack of one environment on a backend of files, driven as `pulumi up` would be. */
async function withStack(use: (stack: Stack, declare: (declaration: Record<string, unknown>) => void) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'vg-stack-'));
  let declaration: Record<string, unknown> = {};
  try {
    const stack = await LocalWorkspace.createOrSelectStack({
      stackName: 'dev',
      projectName: 'verdigris-test',
      program: () => {
        const { address, live, state } = new Environment('shop', { declaration, onDestroy: 'remove' });
        return Promise.resolve({ address, live, state });
      },
    }, {
      workDir: folder,
      envVars: { PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: '', PULUMI_SKIP_UPDATE_CHECK: 'true' },
      projectSettings: { name: 'verdigris-test', runtime: 'nodejs', plugins: { providers: [{ name: 'verdigris', path: fileURLToPath(new URL('../../src/provider', import.meta.url)) }] } } as unknown as ProjectSettings,
    });
    await use(stack, (next) => (declaration = next));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function liveInState(stack: Stack): Promise<unknown> {
  const { deployment } = await stack.exportStack() as { deployment: { resources: { type: string; outputs?: { live?: unknown } }[] } };
  return deployment.resources.find(({ type }) => type === 'verdigris:index:Traffic')?.outputs?.live;
}

test('up makes an environment, a second up is none, and changing the live colour is the release', async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    const declared = (live: string, more: Record<string, unknown> = {}) => ({
      name: 'shop', platform: 'kubernetes', database: 'shop', roles: { application: ['shop_app'] },
      colours: { blue: { release: '1', postgres: 15 }, ...more }, live, limits: { snapshot: '5m' },
      kubernetes: { namespace, storage: '1GiB', images: { pooler: process.env['VERDIGRIS_TEST_POOLER'] ?? 'test/pgbouncer:1.24' }, settings: { shared_buffers: '64MB' } },
    });
    const green = { green: { release: '2', postgres: 15 } };
    const platform = new KubernetesPlatform(parseEnvironment(declared('blue'), 'the test'), admin);
    const state = async () => {
      const { state: is, live, operation } = await readJournal(platform.journal);
      return { state: is, live, operation };
    };
    await withStack(async (stack, declare) => {
      declare(declared('blue'));
      const made = await stack.up();
      expect(made.outputs['state']?.value).toBe('single');
      expect(made.outputs['address']?.value).toBe(`shop-pooler.${namespace}.svc:5432`);
      expect((await stack.up()).summary.resourceChanges).toEqual({ same: 5 });

      declare(declared('blue', green));
      expect((await stack.up()).outputs['state']?.value).toBe('verified');

      declare(declared('green', green));
      const before = await platform.journal.read();
      const preview = await stack.preview({ diff: true });
      expect(preview.changeSummary).toEqual({ same: 4, update: 1 });
      expect(preview.stdout).toMatch(/live\s*: "blue" => "green"/);
      expect(`${preview.stdout}${preview.stderr}`).toContain('verified → switched: switch');
      expect(await platform.journal.read()).toEqual(before);

      expect((await stack.up()).outputs).toMatchObject({ live: { value: 'green' }, state: { value: 'switched' } });
      expect(await state()).toEqual({ state: 'switched', live: 'green', operation: null });

      // Somebody moves the writes by hand: a refresh shows it.
      await admin.merge('Service', 'shop-rw', { spec: { selector: { 'verdigris.dev/colour': 'blue' } } });
      await stack.refresh();
      expect(await liveInState(stack)).toBe('blue');
      await admin.merge('Service', 'shop-rw', { spec: { selector: { 'verdigris.dev/colour': 'green' } } });
      await stack.refresh();
      expect(await liveInState(stack)).toBe('green');

      declare(declared('blue', green));
      await stack.up();
      expect(await state()).toEqual({ state: 'migrated', live: 'blue', operation: null });

      await stack.destroy();
      expect(await admin.list('PersistentVolumeClaim', { 'app.kubernetes.io/instance': 'shop' })).toEqual([]);
      expect(await admin.list('ConfigMap', { 'app.kubernetes.io/instance': 'shop' })).toEqual([]);
    });
    await platform.close();
  });
});
