import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { one, rows } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { applyGlobals, compareGlobals } from '../../../src/postgres/compare/index.ts';
import { connectionTo, withServer } from '../../support/postgres.ts';
import { failure } from '../../support/failure.ts';

const both = `CREATE ROLE app LOGIN PASSWORD 'old'; CREATE ROLE fenced LOGIN; CREATE ROLE team; CREATE ROLE "Odd ""name"""; GRANT team TO app`;

test('finds what differs between two servers, never shows a password, and brings the candidate in line', async () => {
  await withServer((left) =>
    withServer((right) =>
      withClient(connectionTo(left), 'test', (live) =>
        withClient(connectionTo(right), 'test', async (candidate) => {
          for (const side of [live, candidate]) await side.query(both);
          const verifier = async (side: typeof live) =>
            (await one<{ v: string | null }>(side, "SELECT rolpassword AS v FROM pg_authid WHERE rolname = 'app'")).v ??
            '';
          // Scram verifiers of one password differ by their salt: as after a snapshot, the candidate starts with the
          // live one.
          await candidate.query(`ALTER ROLE app PASSWORD '${await verifier(live)}'; ALTER ROLE fenced NOLOGIN`);
          expect(await compareGlobals(live, candidate, new Set(['fenced']))).toEqual([]);
          expect((await compareGlobals(live, candidate)).map(({ id, objects }) => [id, objects])).toEqual([
            ['role-attributes', ['fenced']],
          ]);

          await live.query(`
        ALTER ROLE app PASSWORD 'new' CONNECTION LIMIT 5 VALID UNTIL '2031-01-01 00:00+01';
        CREATE ROLE fresh LOGIN PASSWORD 'hush' IN ROLE team; REVOKE team FROM app; GRANT team TO "Odd ""name""" WITH ADMIN OPTION;
        ALTER ROLE app SET search_path = "$user", public, "Odd, one";
        ALTER ROLE app IN DATABASE postgres SET statement_timeout = '3s';
        ALTER DATABASE postgres SET timezone = 'Europe/Berlin'; ALTER ROLE ALL SET work_mem = '8MB';
        REVOKE CONNECT ON DATABASE postgres FROM PUBLIC; GRANT CONNECT ON DATABASE postgres TO app WITH GRANT OPTION;
        ALTER DATABASE postgres CONNECTION LIMIT 50`);
          await live.query("ALTER SYSTEM SET default_transaction_isolation = 'serializable'");
          await live.query('SELECT pg_reload_conf()');
          await candidate.query("CREATE ROLE late LOGIN; ALTER ROLE team SET lock_timeout = '1s'; GRANT team TO late");

          // A new session, which knows of the reload.
          await withClient(connectionTo(left), 'test', async (fresh) => {
            await expect
              .poll(
                async () =>
                  (
                    await one<{ v: string }>(
                      fresh,
                      "SELECT setting AS v FROM pg_file_settings WHERE name = 'default_transaction_isolation'",
                    )
                  ).v,
              )
              .toBe('serializable');
            const found = await compareGlobals(fresh, candidate, new Set(['fenced']));
            expect(found.map(({ id, grade, objects }) => [id, grade, objects])).toEqual([
              ['role-missing', 'refuse', ['fresh']],
              ['role-extra', 'warn', ['late']],
              ['role-attributes', 'refuse', ['app']],
              ['role-password', 'refuse', ['app']],
              ['membership-missing', 'refuse', ['team to Odd "name"', 'team to fresh']],
              ['membership-extra', 'warn', ['team to app', 'team to late']],
              ['database-attributes', 'warn', ['postgres']],
              [
                'database-grants',
                'refuse',
                ['postgres: CONNECT only on the candidate for PUBLIC', 'postgres: CONNECT missing for app'],
              ],
              [
                'role-settings',
                'refuse',
                [
                  'all roles: work_mem',
                  'role app: search_path',
                  'database postgres: TimeZone',
                  'role app in database postgres: statement_timeout',
                  'role team: lock_timeout',
                ],
              ],
              [
                'server-settings',
                'warn',
                ['default_transaction_isolation: serializable on the live side, read committed on the candidate'],
              ],
              ['server-resources', 'info', ['work_mem: 8192 kB on the live side, 4096 kB on the candidate']],
            ]);
            const shown = [
              JSON.stringify(found),
              inspect(found, { depth: 9 }),
              String(found.flatMap(({ statements }) => statements)),
            ].join();
            expect(shown).not.toMatch(/SCRAM|md5|hush/);
            expect(shown).toContain('not shown');

            expect(await applyGlobals(candidate, found)).toEqual([]);
            expect(await verifier(candidate)).toBe(await verifier(live));
            await withClient(connectionTo(right), 'test', async (fixed) => {
              await expect
                .poll(async () =>
                  (await compareGlobals(fresh, fixed, new Set(['fenced']))).map(({ id, objects }) => [id, objects]),
                )
                .toEqual([['role-extra', ['late']]]);
            });
            const setting = await one<{ c: string[] }>(
              candidate,
              "SELECT setconfig AS c FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole WHERE rolname = 'app' AND setdatabase = 0",
            );
            expect(setting.c).toEqual(['search_path="$user", public, "Odd, one"']);
            expect(await rows(candidate, "SELECT FROM pg_roles WHERE rolname = 'late' AND rolcanlogin")).toEqual([]);
          });
        }),
      ),
    ),
  );
}, 60_000);

test('an error of a secret statement does not quote it', async () => {
  await withServer((left) =>
    withServer((right) =>
      withClient(connectionTo(left), 'test', (live) =>
        withClient(connectionTo(right), 'test', async (candidate) => {
          await live.query("CREATE ROLE app PASSWORD 'x'");
          await candidate.query('CREATE ROLE app');
          const found = await compareGlobals(live, candidate);
          await candidate.query('DROP ROLE app');
          const refused = await failure(applyGlobals(candidate, found));
          expect(inspect(refused)).toContain('42704');
          expect(inspect(refused)).not.toContain('SCRAM-SHA-256$');
        }),
      ),
    ),
  );
}, 60_000);
