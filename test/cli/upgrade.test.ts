import { chmod, cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseJournal } from '../../src/model/journal-text.ts';
import { serverAccount } from '../../src/platform/local/account.ts';
import { freePort } from '../../src/platform/local/ports.ts';
import { initServer, startServer, type Server } from '../../src/platform/local/server.ts';
import { legacySockets } from '../../src/platform/local/sockets.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { testBinaries } from '../support/binaries.ts';
import { withCli, type Cli } from '../support/cli.ts';
import { testSettings } from '../support/environment.ts';
import { connectionTo } from '../support/postgres.ts';

const fixture = fileURLToPath(new URL('../fixtures/0.1.0/', import.meta.url));
const major = 17;
/** Where 0.1.0 kept the environment and listened, as its files say. */
const made = { root: '/var/lib/verdigris/shop', server: 35913, router: 39399 };
const first = 'ALTER TABLE item ADD COLUMN note text;\n';
const second = 'ALTER TABLE item ADD COLUMN price numeric;\n';

test.each([
  ['seeded', 'seeded', 'blue'],
  ['migrated', 'migrated', 'blue'],
  ['verified', 'verified', 'blue'],
  ['canary', 'canary', 'blue'],
  ['switched', 'switched', 'green'],
  ['rolled-back', 'migrated', 'blue'],
  ['single', 'single', 'green'],
])('a journal of 0.1.0 is read: %s', async (file, state, live) => {
  const text = await readFile(path.join(fixture, 'journals', `${file}.json`), 'utf8');
  expect(parseJournal(text, file)).toMatchObject({ environment: 'shop', state, live, operation: null });
});

test('an environment that 0.1.0 made and released is started, released and rolled back by this version, with its data', async () => {
  await withCli(async (cli) => {
    const green = await layOut(cli);
    expect(await cli.run('start')).toMatchObject({ exitCode: 0 });
    expect((await cli.run('status', '--json')).result).toMatchObject({ state: 'single', live: 'green' });

    await cli.migrations('migrations', { '0001_note.sql': first, '0002_price.sql': second });
    await cli.declare({
      name: 'shop',
      platform: 'local',
      database: 'shop',
      roles: { application: ['app'], readers: ['reader'] },
      colours: {
        blue: { release: '3', postgres: major, migrations: 'migrations' },
        green: { release: '2', postgres: major },
      },
      live: 'blue',
    });
    expect(await cli.run('release', '--json')).toMatchObject({ exitCode: 0, error: undefined });
    const address = { host: '127.0.0.1', port: green.router, user: 'app', database: 'shop' };
    const { app } = JSON.parse(await readFile(path.join(cli.home, 'shop/credentials.json'), 'utf8')) as { app: string };
    await withClient({ ...address, password: app }, 'test', async (client) => {
      await client.query("INSERT INTO item (name, price) VALUES ('item 4', 1)");
    });
    expect(await cli.run('rollback', '--json')).toMatchObject({ exitCode: 0, error: undefined });
    expect((await cli.run('status', '--json')).result).toMatchObject({ state: 'migrated', live: 'green' });
    const items = await withClient(connectionTo(green.server, 'shop'), 'test', (client) =>
      rows(client, 'SELECT name, note FROM item ORDER BY name'),
    );
    expect(items).toEqual([1, 2, 3, 4].map((each) => ({ name: `item ${each}`, note: null })));
  });
});

/** The folder as 0.1.0 left it, with other ports, and the server that it names, running. */
async function layOut({ home }: Cli): Promise<{ server: Server; router: number }> {
  const root = path.join(home, 'shop');
  const [port, router] = [await freePort(), await freePort()];
  await cp(path.join(fixture, 'shop'), root, { recursive: true });
  // As 0.1.0 wrote it: git keeps no modes.
  await chmod(path.join(root, 'credentials.json'), 0o600);
  for (const file of [
    'servers.json',
    'declaration.json',
    'history.jsonl',
    'router/router.json',
    'router/router-state.json',
  ]) {
    const text = await readFile(path.join(root, file), 'utf8');
    await writeFile(
      path.join(root, file),
      text
        .replaceAll(made.root, root)
        .replaceAll(path.dirname(legacySockets(made.root, 'green')), path.dirname(legacySockets(root, 'green')))
        .replaceAll(String(made.server), String(port))
        .replaceAll(String(made.router), String(router)),
    );
  }
  const server: Server = {
    binaries: await testBinaries(major),
    account: await serverAccount(),
    directory: path.join(root, 'green-2'),
    sockets: legacySockets(root, 'green'),
    port,
  };
  await initServer(server, {
    cluster_name: 'shop-green',
    wal_level: 'logical',
    wal_writer_delay: '10ms',
    ...testSettings,
  });
  await startServer(server);
  await withClient(connectionTo(server), 'test', async (client) => {
    await client.query('CREATE ROLE postgres SUPERUSER LOGIN');
    await client.query('CREATE DATABASE shop OWNER postgres');
  });
  await withClient(connectionTo(server, 'shop'), 'test', async (client) => {
    await client.query(await readFile(path.join(fixture, 'database.sql'), 'utf8'));
  });
  return { server, router };
}
