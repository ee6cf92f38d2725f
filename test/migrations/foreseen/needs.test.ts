import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadModule } from 'libpg-query';
import { expect, test } from 'vitest';
import { foresee } from '../../../src/migrations/foreseen/judge.ts';
import { readNow, type SchemaNow } from '../../../src/migrations/foreseen/to-come.ts';
import { formatOf } from '../../../src/migrations/engines/native/format.ts';
import { sqlFilesEngine } from '../../../src/migrations/engines/sql/engine.ts';
import { readSqlFiles } from '../../../src/migrations/engines/sql/files.ts';
import { lintFiles } from '../../../src/migrations/lint/lint.ts';
import { withOwnerSession } from '../../../src/migrations/owner-session.ts';
import { withTransaction, type Client } from '../../../src/postgres/client.ts';
import { ensureControlSchema } from '../../../src/postgres/control.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { connectionTo, inFolder, withServer } from '../../support/postgres.ts';
import { schema, statements, type Told } from './statements.ts';

const said = (error: unknown): string => (error as { seen?: string }).seen ?? String(error);

/** Files of which nothing may be told. */
const passing = async (): Promise<Told[]> =>
  (await readFile(path.join(import.meta.dirname, 'passing.sql'), 'utf8')).split('\n\n').map((sql) => ({ sql }));

/** What is told of a file before a seed; undefined where nothing is. */
async function told(
  folder: string,
  live: Client,
  now: SchemaNow,
  owner: string | undefined,
): Promise<string | undefined> {
  try {
    const files = await readSqlFiles(folder);
    const { failing } = await foresee(live, files, { as: owner, place: 'public' }, now);
    return failing[0]?.why;
  } catch (error) {
    return said(error);
  }
}

test('what is said of a statement before a seed, its run says too, and of what fails nearly all is said', async () => {
  const wrong: unknown[] = [];
  await loadModule();
  await withServer((server) =>
    inFolder(async (folder) => {
      const at = (database: string) => connectionTo(server, database);
      const plain = sqlFilesEngine({ folder, format: formatOf('sql') });
      const target = { release: '2', lockTimeout: 5_000, statementTimeout: 60_000, onProgress: () => undefined };
      /** Taken back, as `migrate` tries all files before it runs them. */
      const tried = (session: Client, client: Client, owner: string | undefined): Promise<string | undefined> =>
        withTransaction(session, async () => {
          await plain.rehearse?.(session, undefined, owner, client);
          throw new Error('it runs');
        }).catch((error: unknown) => ((error as Error).message === 'it runs' ? undefined : said(error)));
      /** For good, in a database of its own. */
      const run = async (owner: string | undefined): Promise<string | undefined> => {
        await withClient(at('postgres'), 'test', async (client) => {
          await client.query('DROP DATABASE IF EXISTS candidate WITH (FORCE)');
          await client.query('CREATE DATABASE candidate TEMPLATE live OWNER shop_owner');
        });
        const connection = at('candidate');
        return withClient(connection, 'test', (client) =>
          plain.apply({ ...target, client, connection, owner, signal: new AbortController().signal }),
        ).then(() => undefined, said);
      };
      await withClient(at('postgres'), 'test', (client) => client.query('CREATE DATABASE live'));
      await withClient(at('live'), 'test', async (client) => {
        await ensureControlSchema(client);
        await client.query(schema);
      });
      const now = await withClient(at('live'), 'test', readNow);
      const judge = async (session: Client, client: Client, each: Told): Promise<void> => {
        await writeFile(path.join(folder, '0001_a.sql'), each.sql);
        const owner = each.superuser ? undefined : 'shop_owner';
        const before = await told(folder, client, now, owner);
        const failed = await tried(session, client, owner);
        compare(each, before, failed);
      };
      const compare = (each: Told, before: string | undefined, failed: string | undefined): void => {
        const fits = each.said === undefined ? before === undefined : before?.includes(each.said) === true;
        const asSaid = (before === undefined && !each.after) === (failed === undefined);
        if (!fits || !asSaid) wrong.push({ sql: each.sql, superuser: each.superuser, before, failed });
      };
      await withClient(at('live'), 'test', (client) =>
        withOwnerSession(
          { ...target, client, connection: at('live'), owner: 'shop_owner', quietly: true },
          async (theirs) => {
            for (const each of [...statements, ...(await passing())].filter(({ apart }) => !apart))
              await judge(each.superuser ? client : theirs, client, each);
          },
        ),
      );
      for (const each of statements.filter(({ apart }) => apart)) {
        await writeFile(path.join(folder, '0001_a.sql'), each.sql);
        const before = await withClient(at('live'), 'test', (client) => told(folder, client, now, 'shop_owner'));
        const failed = await run('shop_owner');
        compare(each, before, failed);
      }
    }),
  );
  expect(statements.length).toBeGreaterThan(120);
  expect(wrong).toEqual([]);
});

test('where code makes objects beside those of a statement, what is missing is not known', async () => {
  await loadModule();
  await withServer((server) =>
    inFolder(async (folder) => {
      const sql = 'CREATE TABLE public.fresh (a int); ALTER TABLE public.fresh_old ADD COLUMN b int';
      await writeFile(path.join(folder, '0001_a.sql'), sql);
      const [missing, unknown] = ['relation "public.fresh_old" does not exist', undefined];
      await withClient(connectionTo(server), 'test', async (client) => {
        const now = async (): Promise<string | undefined> => told(folder, client, await readNow(client), undefined);
        await client.query(`CREATE FUNCTION public.keep() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
          IF tg_tag = 'CREATE TABLE' AND to_regclass('public.fresh_old') IS NULL THEN
            CREATE TABLE public.fresh_old (a int); END IF; END $$`);
        expect(await now()).toBe(missing);
        const made = "CREATE EVENT TRIGGER keep ON ddl_command_end WHEN TAG IN ('CREATE EXTENSION')";
        await client.query(`${made} EXECUTE FUNCTION public.keep()`);
        expect(await now()).toBe(missing);
        await client.query('DROP EVENT TRIGGER keep');
        await client.query('CREATE EVENT TRIGGER keep ON ddl_command_end EXECUTE FUNCTION public.keep()');
        expect(await now()).toBe(unknown);
        await client.query(sql);
        await client.query('DROP TABLE public.fresh, public.fresh_old');
        await client.query(
          "CREATE OR REPLACE FUNCTION public.keep() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'CREATE TABLE'; END $$",
        );
        expect(await now()).toBe(missing);
      });
    }),
  );
});

test('of what the reader of files refuses the linter makes an error, of whatever kind it is', async () => {
  const silent: string[] = [];
  await inFolder(async (folder) => {
    for (const { sql } of statements) {
      await writeFile(path.join(folder, '0001_a.sql'), sql);
      const refused = await readSqlFiles(folder).then(
        () => false,
        () => true,
      );
      const { findings } = await lintFiles([{ path: '0001_a.sql', text: sql }], { target: 'candidate' });
      if (refused && !findings.some(({ severity }) => severity === 'error')) silent.push(sql);
    }
  });
  expect(silent).toEqual([]);
});
