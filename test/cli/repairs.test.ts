import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { main } from '../support/cli.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { until } from '../support/until.ts';

interface Trouble {
  readonly id: string;
  readonly seen: string;
  readonly repair: string;
}

/** By SIGKILL; resolves once the process is gone. */
async function killed(pidFile: string): Promise<void> {
  const [first = ''] = (await readFile(pidFile, 'utf8')).split('\n');
  const pid = first.startsWith('{') ? (JSON.parse(first) as { pid: number }).pid : Number(first);
  process.kill(pid, 'SIGKILL');
  await until('it is gone', () => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  });
}

function postmaster({ platform }: TestEnvironment, colour: 'blue' | 'green', generation: number): string {
  return path.join(platform.places.server(colour, generation), 'data', 'postmaster.pid');
}

test('what status says first of a fault is what is broken, and the commands that it prints repair it, alone', async () => {
  await withEnvironment({}, async (shop) => {
    const run = (...args: string[]) =>
      execa(process.execPath, [main, ...args], { cwd: shop.folder, env: { VERDIGRIS_HOME: shop.home }, reject: false });
    const troubles = async (): Promise<readonly Trouble[]> => {
      const lines = (await run('status', '--json')).stdout.split('\n').map((line) => JSON.parse(line) as unknown);
      return (lines.at(-1) as { result: { troubles: readonly Trouble[] } }).result.troubles;
    };
    /** Does what is printed until nothing is; every id that was seen first. */
    const repaired = async (): Promise<string[]> => {
      const first: string[] = [];
      for (let [worst] = await troubles(); worst; [worst] = await troubles()) {
        first.push(worst.id);
        expect(first.length, worst.seen).toBeLessThan(4);
        const [, command = ''] = /`verdigris ([^`]+)`/.exec(worst.repair) ?? [];
        const { exitCode, stdout, stderr } = await run(...command.split(' '));
        expect(exitCode, `${worst.seen}: ${command}\n${stdout}${stderr}`).toBe(0);
      }
      return first;
    };
    for (const verb of ['seed', 'migrate', 'verify'] as const) await shop.verb(verb);
    expect(await troubles()).toEqual([]);

    await killed(path.join(shop.home, 'shop', 'router', 'router.pid'));
    expect(await repaired()).toEqual(['path-down']);
    await killed(postmaster(shop, 'green', 2));
    expect((await repaired())[0]).toBe('server-down');
    await killed(postmaster(shop, 'blue', 1));
    expect((await repaired())[0]).toBe('server-down');

    await shop.on('blue', async (client) => {
      const slots = (
        await client.query<{ name: string; pid: number }>(
          "SELECT slot_name AS name, active_pid AS pid FROM pg_replication_slots WHERE slot_type = 'logical'",
        )
      ).rows;
      for (const { name, pid } of slots) {
        await client.query('SELECT pg_terminate_backend($1)', [pid]);
        await until('the slot is dropped', () =>
          client.query('SELECT pg_drop_replication_slot($1)', [name]).then(
            () => true,
            () => false,
          ),
        );
      }
    });
    expect(await repaired()).toEqual(['slot-lost']);
    expect((await run('status')).stdout).toContain('shop is single');
  });
});
