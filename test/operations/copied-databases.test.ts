import { expect, test } from 'vitest';
import type { Colour } from '../../src/model/colours.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withEnvironment } from '../support/environment.ts';

const names = "SELECT datname AS name FROM pg_database WHERE datname IN ('stamp', 'shelf') ORDER BY 1";

test('templates and closed databases that the candidate has as they were copied stop nothing, both ways; each that changed since is named', async () => {
  await withEnvironment({}, async ({ platform, verb, on, events }) => {
    const within = async (colour: Colour, statement: string, database = 'stamp') =>
      withClient({ ...(await platform.servers.connection(colour)), database }, 'test', (client) =>
        client.query(statement),
      );
    const onBlue = (statement: string) => on('blue', (client) => client.query(statement));
    const shelve = async (statement: string) => {
      await onBlue('ALTER DATABASE shelf ALLOW_CONNECTIONS true');
      await withClient({ ...(await platform.servers.connection('blue')), database: 'shelf' }, 'test', (client) =>
        client.query(statement),
      );
      await onBlue('ALTER DATABASE shelf ALLOW_CONNECTIONS false');
    };
    await onBlue('CREATE DATABASE stamp IS_TEMPLATE true');
    await onBlue('CREATE DATABASE shelf ALLOW_CONNECTIONS false');
    await within('blue', 'CREATE TABLE t (id serial PRIMARY KEY, v text); INSERT INTO t (v) VALUES (1), (2)');

    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    const changes: readonly (readonly [
      named: RegExp,
      change: () => Promise<unknown>,
      back?: () => Promise<unknown>,
    ])[] = [
      [
        /^stamp/,
        () => within('blue', "INSERT INTO t VALUES (3, 'x')"),
        () => within('blue', 'DELETE FROM t WHERE id = 3'),
      ],
      [
        /^stamp/,
        () => within('blue', "SELECT setval('t_id_seq', 9)"),
        () => within('blue', "SELECT setval('t_id_seq', 2)"),
      ],
      [/^stamp/, () => within('blue', 'CREATE VIEW w AS SELECT 1'), () => within('blue', 'DROP VIEW w')],
      [
        /^stamp/,
        () => onBlue("ALTER DATABASE stamp SET work_mem = '7MB'"),
        () => onBlue('ALTER DATABASE stamp RESET work_mem'),
      ],
      [
        /^third/,
        () => onBlue('CREATE DATABASE third TEMPLATE stamp IS_TEMPLATE true'),
        async () => {
          await onBlue('ALTER DATABASE third IS_TEMPLATE false');
          await onBlue('DROP DATABASE third');
        },
      ],
      // Closed again it looks as it did, and nobody can look inside.
      [/^shelf/, () => shelve('CREATE TABLE kept (id int)')],
    ];
    const refused = (named: RegExp) => ({
      id: 'gate-refused',
      facts: { findings: [{ id: 'other-databases', objects: [expect.stringMatching(named)] }] },
    });
    for (const [named, change, back] of changes) {
      await change();
      await expect.soft(verb('switch'), String(named)).rejects.toMatchObject(refused(named));
      await back?.();
    }
    await verb('abandon');
    const told = () =>
      events.flatMap((event) =>
        event.type === 'finding' && event.finding.id === 'beside-differs' ? [event.finding.objects] : [],
      );
    expect(told()).toEqual([]);
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    // New databases are copied from it.
    await within('blue', "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", 'template1');
    await verb('switch');
    expect(told()).toEqual([[expect.stringMatching(/^template1: .*public\.f\(\)/)]]);
    expect(await on('green', (client) => rows(client, names))).toEqual([{ name: 'shelf' }, { name: 'stamp' }]);
    await within('green', "INSERT INTO t VALUES (4, 'x')");
    await expect(verb('rollback')).rejects.toMatchObject(refused(/^stamp/));
    await within('green', 'DELETE FROM t WHERE id = 4');
    await verb('rollback');
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'migrated', live: 'blue' });
  });
});
