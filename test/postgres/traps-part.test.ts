import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { one, rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withEnvironment } from '../support/environment.ts';
import { credentials, type ExternalFixture } from '../support/external.ts';
import { betweenServers } from '../support/external-pair.ts';
import { failure } from '../support/failure.ts';
import { testMajor } from '../support/postgres.ts';
import { expectListed, expectNoSuperuser, role, settings } from './traps-seen.ts';
import { layTraps } from './traps.ts';

/** The tables of the role that move; what stays is full of traps too. */
const tables = ['prey', 'spans', 'parted', 'ruled', 'defined'].map((name) => `public.${name}`);

const alone = `CREATE OR REPLACE FUNCTION public.trap(name text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
  BEGIN
    BEGIN PERFORM pg_catalog.set_config('role', 'none', false); EXCEPTION WHEN OTHERS THEN NULL; END;
    RAISE LOG 'trap % sprung as % in % superuser %', name, current_user, pg_catalog.current_setting('application_name'),
      (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) current_user);
    RETURN true;
  END $$`;

/** A statement of the role's as its own software would say it, past its operators. */
const asRole = (sql: string): string =>
  `SET search_path = pg_catalog; SET SESSION AUTHORIZATION ${role}; ${sql}; RESET SESSION AUTHORIZATION`;

test('no code of who may CREATE everything runs as superuser by any verb of a part of his database, on either server', async () => {
  await betweenServers(
    async (declared, blue, green) => {
      const at = ({ superuser }: ExternalFixture, sql: string) =>
        withClient({ ...superuser, database: 'shop' }, 'test', (client) => client.query(sql));
      const laid = await withClient({ ...blue.superuser, database: 'shop' }, 'test', (client) =>
        layTraps(client, role),
      );
      expect(Math.min(laid.functions, laid.operators)).toBeGreaterThan(20);
      // Texts of functions are no dependencies: what the traps try besides stays behind, and they themselves go along.
      await at(blue, alone);
      const begin = (await readFile(blue.log, 'utf8')).length;
      const declaration = { ...declared, part: { tables } };
      await withEnvironment({ declaration, existing: credentials }, async ({ verb, on }) => {
        const named = (sql: string) => at(blue, asRole(sql));
        await named(
          'CREATE TRIGGER verdigris_fence BEFORE INSERT ON public.prey FOR EACH ROW EXECUTE FUNCTION public.trap_row()',
        );
        expect((await failure(verb('seed'))).id).toBe('part-unfit');
        await named('ALTER TRIGGER verdigris_fence ON public.prey RENAME TO other');
        for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
        const written = "INSERT INTO public.prey (id, value, boxed) VALUES (900, 9, ROW('late')::public.boxed)";
        await on('green', (client) => client.query(asRole(written)));
        await expect(named(written.replace('900', '901'))).rejects.toMatchObject({ code: '25006' });
        await verb('rollback');
        await named(written.replace('900', '902'));
        for (const each of ['verify', 'switch', 'retire'] as const) await verb(each);
        const count = 'SELECT count(*)::int AS n FROM public.prey WHERE id OPERATOR(pg_catalog.>) 800';
        expect(await on('green', (client) => one(client, count))).toEqual({ n: 2 });
        for (const server of [blue, green])
          expect(
            await withClient(server.superuser, 'test', (client) =>
              rows(client, 'SELECT rolsuper FROM pg_roles WHERE rolname = $1', [role]),
            ),
          ).toEqual([{ rolsuper: false }]);
        const told = (await readFile(blue.log, 'utf8')).slice(begin) + (await readFile(green.log, 'utf8'));
        expectNoSuperuser(told);
        await expectListed(told);
      });
    },
    [15, testMajor],
    settings,
    settings,
  );
});
