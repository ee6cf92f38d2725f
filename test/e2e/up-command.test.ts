import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { objectNames } from '../../src/manifests/names.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import type { Stored } from '../../src/platform/kubernetes/cluster.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { withNamespace } from './support/namespace.ts';
import { writeProject } from './support/project.ts';
import { small, withBackend } from './support/stack.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

interface Ran {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly lines: readonly Record<string, unknown>[];
  readonly result: {
    readonly outputs?: Record<string, Record<string, Record<string, unknown>>>;
    readonly changes?: readonly { op: string; type: string; name: string; diffs: string[] }[];
    readonly next?: readonly string[];
  };
  readonly error: Record<string, unknown> | undefined;
}

/** `verdigris up` as a process of its own, in a project's folder, on the backend that it finds by itself. */
async function up(folder: string, ...args: string[]): Promise<Ran> {
  const env = {
    VERDIGRIS_HOME: path.join(folder, 'home'),
    PULUMI_HOME: path.join(folder, 'pulumi'),
    NO_COLOR: '1',
    FORCE_COLOR: '0',
  };
  const { exitCode, stdout } = await execa(process.execPath, [main, 'up', '--cwd', folder, '--json', ...args], {
    reject: false,
    env,
    stdin: 'ignore',
  });
  const lines = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const last = (type: string) => lines.findLast((line) => line['type'] === type);
  return {
    exitCode,
    stdout,
    lines,
    result: (last('result')?.['result'] ?? {}) as Ran['result'],
    error: last('error')?.['error'] as Record<string, unknown> | undefined,
  };
}

async function project(folder: string, declaration: Record<string, unknown>): Promise<void> {
  await writeProject(folder);
  await writeFile(
    path.join(folder, 'Pulumi.dev.yaml'),
    JSON.stringify({ config: { 'verdigris:environments': { shop: './shop.yaml' } } }),
  );
  await writeFile(path.join(folder, 'shop.yaml'), JSON.stringify(declaration));
}

test('verdigris up: nothing unasked, a whole release in stages with its steps shown, the gates before each stage, and then nothing to do', async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    await withBackend(async (folder) => {
      const platform = new KubernetesPlatform(parseEnvironment(small(namespace, 'shop'), 'the test'), admin);
      await project(folder, small(namespace, 'shop'));
      const unasked = await up(folder);
      expect(unasked).toMatchObject({ exitCode: 4, error: { id: 'up-unconfirmed' } });
      expect(await admin.list('StatefulSet', {})).toEqual([]);

      const made = await up(folder, '--yes');
      expect(made).toMatchObject({
        exitCode: 0,
        result: {
          outputs: {
            environments: {
              shop: {
                state: 'single',
                live: 'blue',
                addresses: { rw: `postgresql://shop-pooler.${namespace}.svc:5432/shop` },
              },
            },
          },
        },
      });
      expect(made.stdout).toContain(`the state is kept in file://${folder}/home/pulumi`);

      // From one colour to the other in one command.
      await project(
        folder,
        small(namespace, 'shop', {
          live: 'green',
          colours: { blue: { release: '1', postgres: 15 }, green: { release: '2', postgres: 15 } },
        }),
      );
      const preview = await up(folder, '--preview');
      expect(preview).toMatchObject({
        exitCode: 0,
        result: { preview: true, changes: [{ op: 'update', name: 'shop' }] },
      });
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'blue' });

      const prepared = await up(folder, '--yes', '--to', 'verified');
      expect(prepared).toMatchObject({
        exitCode: 0,
        result: { outputs: { environments: { shop: { state: 'verified', live: 'blue' } } } },
      });
      expect(prepared.result.next).toEqual([expect.stringContaining('declare live: green to move the writes')]);
      const steps = (ran: Ran) =>
        ran.lines
          .filter(({ type, status }) => type === 'step' && status === 'done')
          .map(({ verb, step }) => `${String(verb)} ${String(step)}`);
      expect(steps(prepared)).toEqual(expect.arrayContaining(['seed slot', 'seed snapshot', 'verify data']));

      const switched = await up(folder, '--yes');
      expect(switched).toMatchObject({
        exitCode: 0,
        result: { outputs: { environments: { shop: { state: 'switched', live: 'green', release: '2' } } } },
      });
      expect(steps(switched)).toEqual(expect.arrayContaining(['switch fence', 'switch barrier']));

      expect(await up(folder)).toMatchObject({ exitCode: 0, result: { changes: [] } });

      // A declaration with a fault, and a lease that somebody holds: as the other commands say them.
      await project(folder, small(namespace, 'shop', { live: 'red' }));
      expect(await up(folder, '--yes')).toMatchObject({ exitCode: 1 });
      await project(
        folder,
        small(namespace, 'shop', {
          live: 'blue',
          colours: { blue: { release: '1', postgres: 15 }, green: { release: '2', postgres: 15 } },
        }),
      );
      const lease = await platform.leases.acquire('somebody');
      const renewing = setInterval(() => void lease.renew(), 1_000);
      try {
        expect(await up(folder, '--yes')).toMatchObject({ exitCode: 5, error: { id: 'lease-held' } });
      } finally {
        clearInterval(renewing);
        await lease.release();
      }
      await platform.close();
    });
  });
}, 1_200_000);

test("verdigris up --refresh puts back what somebody took away: poolers, the Secret of a role, keys of the operator's Secret", async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    await withBackend(async (folder) => {
      const declaration = small(namespace, 'shop');
      const [role = ''] = parseEnvironment(declaration, 'the test').roles.application;
      await project(folder, declaration);
      expect(await up(folder, '--yes')).toMatchObject({ exitCode: 0 });
      const secret = async (name: string) => (await admin.read<Stored & { data: object }>('Secret', name))?.data;
      const ofRole = objectNames.roleSecret('shop', role);
      const own = await secret(ofRole);
      const console = ((await secret('shop-operator')) as Record<string, string>)['console-password'];
      await admin.merge('Deployment', 'shop-pooler', { spec: { replicas: 0 } });
      await admin.delete('Secret', ofRole);
      await admin.merge('Secret', 'shop-operator', {
        data: { 'console-password': null, 'replication-password': null },
      });
      const repaired = await up(folder, '--yes', '--refresh');
      expect(repaired).toMatchObject({ exitCode: 0 });
      for (const text of [
        'corrected: Deployment shop-pooler is scaled to 0',
        `corrected: the Secret ${ofRole} is missing, or has no password`,
        'corrected: the key console-password of Secret shop-operator was missing',
      ])
        expect(repaired.stdout).toContain(text);
      expect(await secret(ofRole)).toEqual(own);
      expect(await secret('shop-operator')).toMatchObject({
        'console-password': console,
        'replication-password': expect.any(String) as unknown,
      });
      expect(
        await admin.read<Stored & { status: { readyReplicas?: number } }>('Deployment', 'shop-pooler'),
      ).toMatchObject({ status: { readyReplicas: 1 } });
    });
  });
});
