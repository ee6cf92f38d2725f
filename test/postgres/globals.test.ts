import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Server } from '../../src/platform/local/server.ts';
import { rows, type Client } from '../../src/postgres/client.ts';
import { ensureControlSchema } from '../../src/postgres/control.ts';
import { fenceServer, unfence } from '../../src/postgres/fence.ts';
import { notOfUser } from '../../src/postgres/fingerprint/scope.ts';
import { giveRolesBack, readRoles } from '../../src/postgres/globals/before.ts';
import { carryGlobals, rememberGlobals } from '../../src/postgres/globals/carry.ts';
import { testMajor, withDatabase } from '../support/postgres.ts';

const make = `CREATE ROLE app LOGIN PASSWORD 'first' VALID UNTIL '2030-01-01'; CREATE ROLE away; CREATE ROLE gone LOGIN PASSWORD 'x'; CREATE ROLE leaver LOGIN;
  CREATE ROLE auditors; CREATE ROLE old_name LOGIN; GRANT auditors TO leaver; ALTER ROLE app SET work_mem = '8MB'`;

/** Two servers, one of them closed as a candidate is, with what the other had. */
async function withPair(use: (live: Client, candidate: Client, server: Server) => Promise<void>): Promise<void> {
  await withDatabase((live) =>
    withDatabase(
      async (candidate, server) => {
        for (const client of [live, candidate]) {
          await client.query(make);
          await ensureControlSchema(client);
        }
        await fenceServer(candidate, 1, 10_000);
        await rememberGlobals(candidate);
        await use(live, candidate, server);
      },
      { log_statement: 'all', log_min_duration_statement: '0' },
    ),
  );
}

const state = async (client: Client) => ({
  roles: await rows(
    client,
    `SELECT rolname, rolcanlogin, rolsuper, rolconnlimit, coalesce(rolvaliduntil, 'infinity')::text AS until,
      rolpassword FROM pg_authid WHERE NOT ${notOfUser('rolname')} AND rolname <> 'gone' ORDER BY 1`,
  ),
  members: await rows(
    client,
    `SELECT roleid::regrole::text AS role, member::regrole::text AS member, admin_option FROM pg_auth_members
      WHERE member::regrole::text !~ '^pg_' ORDER BY 1, 2`,
  ),
  settings: await rows(
    client,
    "SELECT setrole::regrole::text AS role, setconfig FROM pg_db_role_setting WHERE setconfig <> '{work_mem=9MB}' ORDER BY 1, 2",
  ),
});

test('what changed of roles on the live side is carried exactly, what a migration made on the other side stays, and no password is logged', async () => {
  await withPair(async (live, candidate, server) => {
    await live.query(`
      ALTER ROLE app PASSWORD 'second' VALID UNTIL 'infinity' CONNECTION LIMIT 7; ALTER ROLE app SET statement_timeout = '7s'; ALTER ROLE app RESET work_mem;
      ALTER ROLE leaver NOLOGIN; REVOKE auditors FROM leaver; DROP ROLE gone, away; ALTER ROLE old_name RENAME TO new_name;
      CREATE ROLE "ro""le 'x" LOGIN CREATEDB PASSWORD 'third'; CREATE ROLE lead LOGIN; GRANT auditors TO lead WITH ADMIN OPTION; GRANT auditors TO app;
      CREATE ROLE verdigris_team LOGIN PASSWORD 'fourth'; GRANT auditors TO verdigris_team`);
    await candidate.query(
      "CREATE ROLE migrated NOLOGIN; CREATE SCHEMA kept AUTHORIZATION gone; ALTER ROLE leaver SET work_mem = '9MB'",
    );
    await carryGlobals(live, candidate);
    expect(await carryGlobals(live, candidate)).toBe(0);
    expect(
      await rows(candidate, `SELECT rolname FROM pg_roles WHERE rolcanlogin AND NOT ${notOfUser('rolname')}`),
    ).toEqual([]);
    expect(
      await rows(
        candidate,
        "SELECT rolcanlogin, rolpassword FROM pg_authid WHERE rolname IN ('away', 'gone', 'migrated')",
      ),
    ).toEqual([
      { rolcanlogin: false, rolpassword: null },
      { rolcanlogin: false, rolpassword: null },
    ]);
    await unfence(candidate, 1);
    const [here, there] = [await state(live), await state(candidate)];
    expect({ ...there, roles: there.roles.filter(({ rolname }) => rolname !== 'migrated') }).toEqual(here);
    expect(await rows(candidate, "SELECT setconfig FROM pg_db_role_setting WHERE setrole = 'leaver'::regrole")).toEqual(
      [{ setconfig: ['work_mem=9MB'] }],
    );
    const log = await readFile(path.join(server.directory, 'server.log'), 'utf8');
    expect(log.match(/SCRAM-SHA-256\$/g)).toBeNull();
  });
});

test('a role that is locked out, or rotates its password, between the carrying and the fence stays so, both ways', async () => {
  await withPair(async (live, candidate) => {
    await carryGlobals(live, candidate);
    await live.query("ALTER ROLE leaver NOLOGIN; ALTER ROLE app PASSWORD 'second'");
    await fenceServer(live, 1, 10_000);
    expect(await carryGlobals(live, candidate)).toBe(2);
    await unfence(candidate, 1);
    await candidate.query("ALTER ROLE leaver LOGIN; ALTER ROLE app NOLOGIN PASSWORD 'third'");
    await fenceServer(candidate, 2, 10_000);
    expect(await carryGlobals(candidate, live)).toBe(3);
    await unfence(live, 2);
    await unfence(candidate, 2);
    expect(await state(live)).toEqual(await state(candidate));
  });
});

test('memberships are carried with their options', async () => {
  await withPair(async (live, candidate) => {
    await live.query(
      testMajor >= 16
        ? 'GRANT auditors TO app WITH INHERIT FALSE, SET FALSE'
        : 'GRANT auditors TO app WITH ADMIN OPTION',
    );
    await carryGlobals(live, candidate);
    const options = (client: Client) =>
      rows(
        client,
        "SELECT to_jsonb(a) - 'oid' - 'roleid' - 'member' - 'grantor' AS options FROM pg_auth_members a WHERE member = 'app'::regrole",
      );
    expect(await options(candidate)).toEqual(await options(live));
  });
});

test('settings, limit and rights of the database postgres are carried, of no other, and only where there is one', async () => {
  await withPair(async (live, candidate) => {
    const maintenance = async (client: Client) => ({
      attributes: await rows(
        client,
        `SELECT datconnlimit, has_database_privilege('app', oid, 'CONNECT') AS in,
          has_database_privilege('leaver', oid, 'CREATE WITH GRANT OPTION') AS given FROM pg_database WHERE datname = 'postgres'`,
      ),
      settings: await rows(
        client,
        `SELECT datname, setrole::regrole::text AS role, setconfig FROM pg_db_role_setting
        JOIN pg_database d ON d.oid = setdatabase WHERE datname <> current_database() ORDER BY 1, 2`,
      ),
    });
    await carryGlobals(live, candidate);
    await live.query(`ALTER DATABASE postgres SET work_mem = '7MB'; ALTER ROLE app IN DATABASE postgres SET search_path = 'x', y;
      REVOKE CONNECT ON DATABASE postgres FROM PUBLIC; GRANT CREATE ON DATABASE postgres TO leaver WITH GRANT OPTION`);
    await live.query('ALTER DATABASE postgres CONNECTION LIMIT 7; ALTER DATABASE template1 CONNECTION LIMIT 8');
    expect(await carryGlobals(live, candidate)).toBe(5);
    const there = await maintenance(live);
    expect(there.attributes).toEqual([{ datconnlimit: 7, in: false, given: true }]);
    expect(there.settings).toHaveLength(2);
    expect(await maintenance(candidate)).toEqual(there);
    expect(await rows(candidate, "SELECT datconnlimit FROM pg_database WHERE datname = 'template1'")).toEqual([
      { datconnlimit: -1 },
    ]);
    await candidate.query(`ALTER DATABASE postgres RESET work_mem; GRANT CONNECT ON DATABASE postgres TO PUBLIC`);
    expect(await carryGlobals(candidate, live)).toBe(2);
    expect(await maintenance(live)).toEqual(await maintenance(candidate));
    await candidate.query('ALTER DATABASE postgres RENAME TO elsewhere');
    await live.query("ALTER DATABASE postgres SET work_mem = '9MB'");
    expect(await carryGlobals(live, candidate)).toBe(0);
  });
});

test('who may not read passwords names those that were set or carried since, and gives the rest of a role back', async () => {
  await withDatabase(async (candidate) => {
    await candidate.query(make);
    await ensureControlSchema(candidate);
    await candidate.query(`CREATE ROLE managed CREATEROLE; GRANT USAGE ON SCHEMA verdigris TO managed;
      GRANT SELECT ON ALL TABLES IN SCHEMA verdigris TO managed;
      GRANT app, leaver, old_name TO managed WITH ADMIN OPTION; SET SESSION AUTHORIZATION managed`);
    const before = await readRoles(candidate);
    expect(before.verifiers).toEqual({});
    await candidate.query(`ALTER ROLE app NOLOGIN PASSWORD 'carried'; ALTER ROLE leaver NOLOGIN PASSWORD 'set';
      ALTER ROLE old_name NOLOGIN`);
    await candidate.query(`RESET SESSION AUTHORIZATION; INSERT INTO verdigris.carried_global VALUES
      ('["password","app"]', '-'), ('["password","nobody"]', '-'), ('["role","old_name"]', '-');
      SET SESSION AUTHORIZATION managed`);
    const { opened, unknown } = await giveRolesBack(candidate, { ...before, passwordsOf: ['leaver', 'nobody'] });
    expect(unknown.toSorted()).toEqual(['app', 'leaver']);
    expect(opened).toEqual(expect.arrayContaining(['app', 'leaver', 'old_name']));
    await candidate.query('RESET SESSION AUTHORIZATION');
  });
});

test('what users of a foreign server log in with is carried once the server is there, and goes when it goes', async () => {
  await withPair(async (live, candidate) => {
    const far = 'CREATE FOREIGN DATA WRAPPER fdw; CREATE SERVER far FOREIGN DATA WRAPPER fdw';
    const mappings = () => rows(candidate, 'SELECT usename, umoptions FROM pg_user_mappings');
    await live.query(`${far}; CREATE USER MAPPING FOR app SERVER far OPTIONS (password 'p')`);
    await carryGlobals(live, candidate);
    expect(await mappings()).toEqual([]);
    await candidate.query(far);
    await carryGlobals(live, candidate);
    expect(await mappings()).toEqual([{ usename: 'app', umoptions: ['password=p'] }]);
    await live.query('DROP USER MAPPING FOR app SERVER far');
    await carryGlobals(live, candidate);
    expect(await mappings()).toEqual([]);
  });
});
