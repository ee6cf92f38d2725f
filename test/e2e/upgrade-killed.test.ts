import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { waitFor } from '../../src/model/wait.ts';
import { withClusterEnvironment, type ClusterEnvironment } from './support/environment.ts';
import { declaration, fill, major, upgrade } from './support/upgrade.ts';
import { walk } from './support/walk.ts';

/** The command line as a process of its own, with the operator's rights, killed once `moment` has come. */
async function killedOperator(
  { folder, raw, namespace: { operator } }: ClusterEnvironment,
  verb: string,
  moment: () => Promise<boolean>,
): Promise<void> {
  const [declared, config] = [path.join(folder, 'verdigris.yaml'), path.join(folder, 'kubeconfig')];
  await writeFile(declared, JSON.stringify(raw));
  await writeFile(config, operator.exportConfig(), { mode: 0o600 });
  const child = execa(
    process.execPath,
    [fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url)), verb, '-f', declared, '--json'],
    { env: { KUBECONFIG: config }, reject: false },
  );
  let ended = false;
  void child.then(() => (ended = true));
  await waitFor(async () => (ended || (await moment()) ? true : undefined), {
    limit: 120_000,
    every: 20,
    slowest: 50,
    what: 'the moment to kill the operator',
    next: 'see what it said',
  });
  child.kill('SIGKILL');
  const { signal, stdout, stderr } = await child;
  expect(signal, `${stdout}${stderr}`).toBe('SIGKILL');
}

test('an operator killed while the Job runs: the same command goes on, and an abandoned one leaves nothing', async () => {
  await withClusterEnvironment(
    { declaration, kubernetes: { images: { pooler: 'test/pgbouncer:1.24', upgrade } }, fill },
    async (env) => {
      const {
        verb,
        clients,
        platform,
        on,
        namespace: { admin },
      } = env;
      const killed = async (): Promise<void> => {
        await killedOperator(env, 'seed', async () => (await admin.list('Job', {})).length > 0);
        expect(await readJournal(platform.journal)).toMatchObject({
          state: 'single',
          operation: { verb: 'seed', phase: 'start' },
        });
      };
      const { verdict } = await clients(async (workload) => {
        await killed();
        await verb('abandon');
        expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', release: null, operation: null });
        for (const kind of ['Job', 'VolumeSnapshot'] as const) expect(await admin.list(kind, {})).toEqual([]);
        expect((await admin.list('PersistentVolumeClaim', {})).map(({ metadata }) => metadata.name)).toEqual([
          'shop-blue-1',
        ]);
        await killed();
        await walk(env, workload, 'seed', 'migrate', 'verify', 'switch');
        expect(await on('green', major)).toEqual({ major: 17 });
      });
      expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
    },
  );
});
