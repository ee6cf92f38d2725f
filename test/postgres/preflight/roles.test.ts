import { expect, test } from 'vitest';
import { one } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { connectionTo, withDatabase } from '../../support/postgres.ts';
import { findingsOf, fixes, runScript, sound } from './support.ts';
import { sqlState } from '../../support/failure.ts';

test('declared roles that are missing, superusers, privileged or cannot log in', async () => {
  await withDatabase(async (client) => {
    await client.query(`
      CREATE ROLE boss SUPERUSER; CREATE ROLE way; GRANT boss TO way; CREATE ROLE "sly one" LOGIN; GRANT way TO "sly one"; CREATE ROLE super LOGIN SUPERUSER;
      CREATE ROLE strong LOGIN REPLICATION BYPASSRLS CREATEROLE; GRANT ALTER SYSTEM ON PARAMETER work_mem TO strong;
      CREATE ROLE team; CREATE ROLE member LOGIN; GRANT team TO member; CREATE ROLE fine LOGIN`);
    const roles = { application: ['fine', 'nobody', 'sly one', 'super', 'strong', 'team'] };
    await fixes(client, 'declared-role-missing', { grade: 'refuse', objects: ['nobody'] }, { roles });
    await fixes(
      client,
      'role-superuser',
      { grade: 'refuse', objects: ['sly one, by way of boss', 'super'] },
      { roles },
    );
    await fixes(
      client,
      'role-privileged',
      { grade: 'warn', objects: ['strong: REPLICATION, BYPASSRLS, CREATEROLE, ALTER SYSTEM on work_mem'] },
      { roles },
    );
    await fixes(client, 'role-nologin', { grade: 'warn', objects: ['team, members that can: member'] }, { roles });
    expect(
      (await findingsOf(client, { roles })).filter(({ id }) =>
        /^(declared-)?role-(missing|superuser|privileged|nologin)/.test(id),
      ),
    ).toEqual([]);
  }, sound);
});

test('readers that can write, by every way, and that cannot after the fix', async () => {
  await withDatabase(async (client, server) => {
    await client.query(`
      CREATE ROLE reader LOGIN; CREATE ROLE good LOGIN; CREATE ROLE writers; CREATE ROLE outer_writers;
      GRANT writers TO outer_writers; GRANT outer_writers TO reader; CREATE ROLE owners; CREATE ROLE lazy LOGIN NOINHERIT; GRANT owners TO lazy;
      CREATE TABLE direct (x int PRIMARY KEY); CREATE TABLE "by Public" (x int PRIMARY KEY);
      CREATE TABLE by_member (x int PRIMARY KEY); CREATE TABLE by_column (x int PRIMARY KEY, "N n" text);
      CREATE TABLE owned (x int PRIMARY KEY); CREATE TABLE by_owner (x int PRIMARY KEY); CREATE VIEW v AS SELECT * FROM direct;
      GRANT SELECT, INSERT, TRUNCATE ON direct TO reader; GRANT INSERT ON v TO reader;
      GRANT DELETE ON "by Public" TO PUBLIC; GRANT UPDATE ON by_member TO writers;
      GRANT UPDATE ("N n") ON by_column TO reader; ALTER TABLE owned OWNER TO reader; ALTER TABLE by_owner OWNER TO owners;
      CREATE SCHEMA s; GRANT CREATE ON SCHEMA s TO reader; GRANT CREATE ON DATABASE test TO reader;
      GRANT SELECT ON ALL TABLES IN SCHEMA public TO good; GRANT pg_write_all_data TO lazy; CREATE SEQUENCE q; GRANT ALL ON SEQUENCE q TO good;
      CREATE SCHEMA verdigris; CREATE TABLE verdigris.t (x int); GRANT INSERT ON verdigris.t TO good`);
    const roles = { readers: ['reader', 'good', 'lazy'] };
    await withClient(connectionTo(server, 'test', 'reader'), 'reader', async (reader) => {
      expect(await sqlState(reader, 'INSERT INTO direct VALUES (1)')).toBe('succeeded');
      expect(await sqlState(reader, 'UPDATE by_member SET x = 2')).toBe('succeeded');
      await fixes(
        client,
        'reader-can-write',
        {
          grade: 'refuse',
          objects: [
            'good: DELETE on public.by Public by PUBLIC',
            'lazy: pg_write_all_data by pg_write_all_data',
            'lazy: DELETE on public.by Public by PUBLIC',
            'lazy: OWNER on public.by_owner by owners',
            'reader: CREATE on database test',
            'reader: CREATE on schema s',
            'reader: DELETE on public.by Public by PUBLIC',
            'reader: UPDATE ("N n") on public.by_column',
            'reader: UPDATE on public.by_member by writers',
            'reader: INSERT, TRUNCATE on public.direct',
            'reader: OWNER on public.owned',
            'reader: INSERT on public.v',
          ],
        },
        { roles },
      );
      for (const statement of [
        'INSERT INTO direct VALUES (2)',
        'INSERT INTO v VALUES (2)',
        'DELETE FROM "by Public"',
        'UPDATE by_member SET x = 2',
        'UPDATE by_column SET "N n" = 1',
        'INSERT INTO owned VALUES (2)',
        'CREATE TABLE s.t (x int)',
        'CREATE SCHEMA z',
      ]) {
        expect(await sqlState(reader, statement), statement).toBe('42501');
      }
      expect(await sqlState(reader, 'SELECT * FROM direct')).toBe('succeeded');
    });
  }, sound);
});

test('sessions of superusers and of undeclared roles are named, in this database', async () => {
  await withDatabase(async (client, server) => {
    await client.query(
      'CREATE ROLE app LOGIN; CREATE ROLE stray LOGIN; CREATE ROLE dba LOGIN SUPERUSER; CREATE ROLE verdigris_replication LOGIN REPLICATION',
    );
    const as = async (user: string, database: string, use: () => Promise<void>) =>
      withClient(connectionTo(server, database, user), user, use);
    await as('app', 'test', async () =>
      as('stray', 'postgres', async () =>
        as('stray', 'test', async () =>
          as('verdigris_replication', 'test', async () =>
            as('dba', 'postgres', async () => {
              const roles = { application: ['app'] };
              await fixes(
                client,
                'superuser-sessions',
                { grade: 'warn', objects: [expect.stringMatching(/^pid \d+ dba@postgres \(verdigris\/dba\)$/)] },
                { roles },
              );
              await fixes(
                client,
                'undeclared-sessions',
                { grade: 'warn', objects: [expect.stringMatching(/^pid \d+ stray@test /)] },
                { roles },
              );
              expect(
                (
                  await one<{ left: number }>(
                    client,
                    "SELECT count(*)::int AS left FROM pg_stat_activity WHERE usename IN ('app', 'stray')",
                  )
                ).left,
              ).toBe(2);
            }),
          ),
        ),
      ),
    );
  }, sound);
});

test('the candidate is closed to writers, and not to readers', async () => {
  await withDatabase(async (client) => {
    await client.query('CREATE ROLE app LOGIN; CREATE ROLE reports LOGIN');
    const changes = {
      side: 'candidate',
      gate: 'switch',
      roles: { application: ['app'], readers: ['reports'] },
    } as const;
    await fixes(client, 'candidate-open', { grade: 'refuse', objects: ['app'] }, changes);
  }, sound);
});

test('a role without privileges gets findings that say what to grant, and nothing is hidden by them', async () => {
  await withDatabase(async (client, server) => {
    await client.query('CREATE ROLE plain LOGIN; CREATE TABLE bare (x int); CREATE ROLE app LOGIN; CREATE SEQUENCE q');
    await withClient(connectionTo(server, 'test', 'plain'), 'plain', async (plain) => {
      const roles = { application: ['app'] };
      const findings = await findingsOf(plain, { roles });
      const hidden = findings.filter(({ id }) => id === 'check-not-permitted');
      expect(hidden.flatMap(({ objects }) => objects).sort()).toEqual([
        'capacity',
        'hba-trust',
        'idle-transactions',
        'long-transactions',
        'passwords',
        'read-only-default',
        'sequences',
        'session-state',
        'sessions',
        'standbys',
        'workers',
      ]);
      expect(hidden.find(({ objects }) => objects[0] === 'long-transactions')).toMatchObject({
        grade: 'refuse',
        fix: 'GRANT pg_read_all_stats TO "plain";',
      });
      const ofFiles = ['idle-transactions', 'read-only-default'].map(
        (id) => hidden.find(({ objects }) => objects[0] === id)?.fix,
      );
      expect(ofFiles).toEqual(ofFiles.map(() => expect.stringContaining('pg_show_all_file_settings()') as string));
      expect(findings.map(({ id }) => id)).toContain('replica-identity-missing');
      expect(findings.find(({ id }) => id === 'operator-privileges')?.objects).toContain(
        'ownership of "public"."bare"',
      );
      for (const { fix } of hidden) await runScript(client, fix);
      expect((await findingsOf(plain, { roles })).filter(({ id }) => id === 'check-not-permitted')).toEqual([]);
      await fixes(
        plain,
        'operator-privileges',
        {
          grade: 'refuse',
          objects: expect.arrayContaining([
            'REPLICATION',
            'CREATEROLE',
            'CREATE on database test',
            'pg_signal_backend',
          ]) as unknown as readonly unknown[],
        },
        { roles },
        client,
      );
    });
  }, sound);
});

test('a check that takes too long is a finding, not a hang', async () => {
  await withDatabase(async (client, server) => {
    await client.query('CREATE TABLE t (x int)');
    await withClient(connectionTo(server, 'test'), 'blocker', async (blocker) => {
      await blocker.query('BEGIN; LOCK TABLE pg_catalog.pg_largeobject_metadata IN ACCESS EXCLUSIVE MODE');
      const late = (await findingsOf(client, { limits: { checkMs: 1500 } })).filter(
        ({ id }) => id === 'check-timed-out',
      );
      expect(late).toMatchObject([{ grade: 'refuse', objects: ['large-objects'] }]);
      await blocker.query('ROLLBACK');
    });
  }, sound);
});
