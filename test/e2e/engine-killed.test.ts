import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { until } from '../support/until.ts';
import { withNamespace } from './support/namespace.ts';
import { withUpProject } from './support/project.ts';
import { prepared, small } from './support/stack.ts';

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

async function processes(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const read = async (pid: string): Promise<Process[]> => {
    const [stat, command] = await Promise.all(
      ['stat', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
    );
    const parent = /\) \S (\d+)/.exec(stat ?? '')?.[1];
    return parent === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command: command ?? '' }];
  };
  return (await Promise.all(pids.map(read))).flat();
}

/** All that a process has started, and what those have. */
async function below(pid: number): Promise<Process[]> {
  const all = await processes();
  const children = (of: number): Process[] =>
    all.filter(({ parent }) => parent === of).flatMap((each) => [each, ...children(each.pid)]);
  return children(pid);
}

test('the Pulumi engine is killed in an up that switches: undone before the commit point, completed behind it, and no provider lives on', async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    await withUpProject(async ({ folder, env, up }) => {
      const declared = (live: 'blue' | 'green') => small(namespace, 'shop', { colours: prepared, live });
      const platform = new KubernetesPlatform(parseEnvironment(declared('blue'), 'the test'), admin);
      const declare = (live: 'blue' | 'green') =>
        writeFile(
          path.join(folder, 'Pulumi.dev.yaml'),
          JSON.stringify({ config: { 'verdigris:environments': { shop: declared(live) } } }),
        );
      const start = () => up('--json');
      await declare('blue');
      const made = await start();
      expect(made.exitCode, made.stdout).toBe(0);

      /** Ends the engine by SIGKILL at a step of the switchover; what there is when the provider is gone. */
      const killedAt = async (step: string, status: 'started' | 'done') => {
        const running = start();
        for await (const line of createInterface({ input: running.stdout })) {
          if (!line.includes(`"step":"${step}"`) || !line.includes(`"status":"${status}"`)) continue;
          const started = await below(running.pid ?? 0);
          const providers = started.filter(({ command }) => command.includes('/src/pulumi/provider/'));
          expect(providers.length).toBeGreaterThan(0);
          const [engine] = started.filter(({ command }) => /^(\S*\/)?pulumi\0/.test(command));
          process.kill(engine?.pid ?? 0, 'SIGKILL');
          await running;
          // The stack's own lock is the engine's, which has died: the way on is the one that Pulumi says.
          await execa('pulumi', ['cancel', '--yes', '--stack', 'dev'], { cwd: folder, env });
          await until(
            'no provider lives on',
            async () => {
              const now = await processes();
              return providers.every(({ pid, command }) =>
                now.every((each) => each.pid !== pid || each.command !== command),
              );
            },
            120_000,
          );
          const { state, live, operation } = await readJournal(platform.journal);
          return { state, live, operation, held: (await platform.traffic.status()).held };
        }
        throw new Error(`${step} did not come`);
      };
      await declare('green');
      expect(await killedAt('fallback', 'started')).toEqual({
        state: 'verified',
        live: 'blue',
        operation: null,
        held: undefined,
      });
      expect(await killedAt('open', 'done')).toEqual({
        state: 'switched',
        live: 'green',
        operation: null,
        held: undefined,
      });
      const after = await start();
      expect(after.exitCode, after.stdout).toBe(0);
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'switched', live: 'green', operation: null });
      await platform.close();
    });
  });
}, 1_800_000);
