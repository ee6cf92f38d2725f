import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { one } from '../../src/postgres/client.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { withEnvironment } from '../support/environment.ts';
import { layTraps, sprung } from './traps.ts';

test('a role with CREATE on everything has none of its code run as a superuser by any verb of a release', async () => {
  const role = 'shop_app';
  const settings = { log_connections: 'on', log_statement: 'all', log_line_prefix: '%u %a: ' };
  await withEnvironment({ settings }, async ({ verb, on, platform }) => {
    const log = async (colour: 'blue' | 'green'): Promise<string> =>
      readFile(path.join(platform.places.server(colour, colour === 'blue' ? 1 : 2), 'server.log'), 'utf8');
    const { functions, operators } = await on('blue', (client) => layTraps(client, role));
    expect(functions).toBeGreaterThan(100);
    expect(operators).toBeGreaterThan(20);
    // Laying them springs some, as the role itself.
    const begin = (await log('blue')).length;
    for (const each of ['seed', 'migrate', 'verify', 'switch', 'rollback', 'verify'] as const) await verb(each);
    const told = (await log('blue')).slice(begin) + (await log('green'));
    // The test's own sessions are a superuser's, and find names as the database's clients do.
    const found = [...told.matchAll(sprung)]
      .map(([, by, name, as, superuser]) => ({ by, name, as, superuser }))
      .filter(({ by }) => !by?.endsWith('verdigris/test'));
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter(({ superuser }) => superuser !== 'f')).toEqual([]);
    // A superuser's sessions are those that docs/security.md names, and none reads a table of a user's.
    const page = await readFile(new URL('../../docs/security.md', import.meta.url), 'utf8');
    const sessions = new Set(
      [...told.matchAll(/^verdigris_operator verdigris\/(\S+): LOG: /gm)].map(([, name]) => name),
    );
    expect(sessions.size).toBeGreaterThan(1);
    expect([...sessions].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
    expect(told).toMatch(/^verdigris_reader \S+: LOG: .*\n?.*prey/m);
    expect(
      told.match(/^verdigris_operator \S+: LOG: +(statement|execute \S+): [^\n]*\b(FROM|JOIN) "?public"?\."?prey/gm),
    ).toBeNull();
    for (const colour of ['blue', 'green'] as const) {
      const connection = { ...(await platform.servers.connection(colour)), database: 'shop' };
      const is = await withOwnSession(connection, 'test', (client) =>
        one(client, 'SELECT rolsuper FROM pg_roles WHERE rolname = $1', [role]),
      );
      expect(is).toEqual({ rolsuper: false });
    }
    // The trap does tell of a superuser who steps into it.
    await on('blue', (client) => client.query("SELECT public.trap('control')"));
    expect(await log('blue')).toMatch(/trap control sprung as \S+ superuser t/);
  });
});
