import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { LocalPlatform } from '../../src/platform/local/platform.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { declaration, main, withCli } from '../support/cli.ts';
import { until } from '../support/until.ts';

const names = ['a', 'b', 'c'];

test('a fleet that is killed in a wave goes on once: what was under way comes to its end, and the same command does the rest', async () => {
  await withCli(async ({ folder, home, run }) => {
    const platforms: LocalPlatform[] = [];
    for (const name of names) {
      await mkdir(path.join(folder, name, 'm'), { recursive: true });
      const text = 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)';
      await writeFile(path.join(folder, name, 'm', '0001_t.sql'), text);
      const declared = (live: string) => ({
        ...declaration,
        name: `tenant-${name}`,
        colours: { ...declaration.colours, green: { ...declaration.colours.green, migrations: './m' } },
        live,
      });
      const file = path.join(folder, name, 'verdigris.yaml');
      await writeFile(file, JSON.stringify(declared('blue')));
      expect(await run('create', '--file', file, '--json')).toMatchObject({ exitCode: 0 });
      await writeFile(file, JSON.stringify(declared('green')));
      platforms.push(await LocalPlatform.open(parseEnvironment(declared('green'), file), home));
    }
    const waves = [{ environments: ['a', 'b'].map(fileOf), atATime: 2 }, { environments: [fileOf('c')] }];
    await writeFile(path.join(folder, 'fleet.yaml'), JSON.stringify({ waves }));
    const journals = () => Promise.all(platforms.map(({ journal }) => readJournal(journal)));

    const fleet = execa(process.execPath, [main, 'fleet', 'release', 'fleet.yaml', '--json'], {
      cwd: folder,
      env: { VERDIGRIS_HOME: home },
      reject: false,
    });
    await until('both of the first wave', async () =>
      (await journals()).slice(0, 2).every(({ operation }) => operation?.verb === 'seed'),
    );
    fleet.kill('SIGKILL');
    await fleet;
    // Where a release of the killed fleet is still at work the new one is refused its lease, and nothing breaks.
    await until(
      'the rest',
      async () => (await run('fleet', 'release', 'fleet.yaml', '--json')).exitCode === 0,
      240_000,
    );
    expect(await journals()).toMatchObject(names.map(() => ({ state: 'switched', live: 'green', operation: null })));
    for (const { servers } of platforms)
      await withClient({ ...(await servers.connection('green')), database: 'shop' }, 'test', async (client) =>
        expect(await rows(client, 'SELECT id FROM t')).toEqual([{ id: 1 }]),
      );
    for (const name of names) await run('destroy', '--yes', '--file', fileOf(name), '--json');
  });
});

function fileOf(name: string): string {
  return `${name}/verdigris.yaml`;
}
