import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Places } from '../../src/platform/local/places.ts';
import { Records } from '../../src/platform/local/records.ts';
import { routerPid } from '../../src/router/launch.ts';
import { good } from '../support/verdict.ts';
import { nothing, served, withBench, type FaultBench } from './support.ts';
import { until } from '../support/until.ts';

const timeout = 600_000;
const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Processes that have a text in their command line: servers say their cluster's name there. */
async function processesOf(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(text));
}

/** Runs a command and kills it when its clone is as far as `far` says; returns the clone's name. */
async function killWhen(
  { declaration, home, platform }: FaultBench,
  args: readonly string[],
  far: (clone: Places) => Promise<boolean>,
): Promise<string> {
  const child = spawn(process.execPath, [main, ...args, '--file', declaration], {
    stdio: 'ignore',
    env: { ...process.env, VERDIGRIS_HOME: home },
  });
  const ended = once(child, 'exit');
  const name = await until(
    'the clone',
    async () => {
      if (child.exitCode !== null) throw new Error(`${args.join(' ')} ended with ${child.exitCode}`);
      const [found] = (await readdir(platform.places.clones).catch(() => [])).filter((each) => !each.endsWith('.new'));
      return found !== undefined && (await far(new Places(home, found))) ? found : undefined;
    },
    240_000,
  );
  child.kill('SIGKILL');
  await ended;
  return name;
}

test(
  'a drill and a rehearsal that are killed leave clones: the next command removes them, with their processes',
  { timeout },
  async () => {
    await withBench({}, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        const gone = async (name: string): Promise<void> => {
          expect((await readdir(bench.home)).filter((each) => each.startsWith('drill-'))).toEqual([]);
          expect(await readdir(bench.platform.places.clones)).toEqual([]);
          expect(await bench.platform.servers.snapshots()).toEqual([]);
          expect(await processesOf(name)).toEqual([]);
          await served(workload);
        };
        const copying = await killWhen(bench, ['rehearse', '--warm-up', '200s'], () => Promise.resolve(true));
        await bench.recover();
        await gone(copying);
        const rehearsing = await killWhen(
          bench,
          ['rehearse', '--warm-up', '200s'],
          async ({ router }) => (await routerPid(router)) !== undefined,
        );
        expect(await processesOf(rehearsing)).not.toEqual([]);
        await bench.recover();
        await gone(rehearsing);

        // Its candidate is an ordinary one, which the journal knows; its clones are a pair by then.
        const drilling = await killWhen(bench, ['drill'], async ({ servers, legacyServers }) => {
          const { green } = await new Records(servers, legacyServers).read();
          return green !== undefined;
        });
        await bench.settled({ state: 'verified', live: 'blue' });
        await bench.verb('abandon');
        await gone(drilling);
      });
      expect(verdict).toMatchObject(good);
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
