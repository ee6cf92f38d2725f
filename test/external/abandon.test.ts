import { beforeAll, expect, test } from 'vitest';
import { operatorRole } from '../../src/model/names.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import { rows } from '../../src/postgres/client.ts';
import { readShape } from '../../src/postgres/database-shape.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { withEnvironment } from '../support/environment.ts';
import { credentials, superuserPassword } from '../support/external.ts';
import { betweenServers } from '../support/external-pair.ts';
import { failure } from '../support/failure.ts';
import { betweenManaged } from '../support/managed-server.ts';
import { testMajor } from '../support/postgres.ts';

beforeAll(withNewestPgDump);

/** Roles that their owner has on the candidate; the live server has a role of the same name with another password. */
const theirs = `
  CREATE ROLE their_batch LOGIN CREATEDB CONNECTION LIMIT 3 PASSWORD 'of the batch';
  ALTER ROLE their_batch SET work_mem = '5MB';
  CREATE ROLE their_group NOLOGIN;
  GRANT their_group TO their_batch`;

const live = "CREATE ROLE their_batch LOGIN PASSWORD 'another one'; ALTER ROLE postgres PASSWORD 'rotated since'";

test('after abandon, roles of a candidate that others run are what they were before the release', async () => {
  await betweenServers(
    async (declaration, here) => {
      const { green } = declaration['colours'] as { green: { server: { port: number } } };
      const there = { ...here.superuser, port: green.server.port, password: superuserPassword };
      const roles = () =>
        withClient(there, 'test', (client) =>
          rows(
            client,
            `SELECT rolname, to_jsonb(a) - 'oid' AS role, (SELECT jsonb_agg(setconfig) FROM pg_db_role_setting WHERE setrole = a.oid) AS settings,
            (SELECT jsonb_agg(roleid::regrole::text ORDER BY 1) FROM pg_auth_members WHERE member = a.oid) AS member
          FROM pg_authid a WHERE rolname !~ '^(pg_|verdigris_|shop_)' ORDER BY rolname`,
          ),
        );
      await withClient(there, 'test', (client) => client.query(theirs));
      const before = await roles();
      await withEnvironment({ declaration, existing: credentials }, async ({ verb, on }) => {
        await on('blue', (client) => client.query(live));
        await verb('seed');
        // Closed, and with the password of the live server's role besides.
        expect(await failure(roles())).toMatchObject({ code: '28P01' });
        await verb('abandon');
        expect(await roles()).toEqual(before);
        const copied = await withClient(there, 'test', (client) =>
          rows(client, "SELECT FROM pg_roles WHERE rolname ~ '^shop_' AND rolcanlogin"),
        );
        expect(copied).toEqual([]);
        // What was copied stays, and is no empty database: said before anybody is closed out.
        expect(await failure(verb('seed'))).toMatchObject({ id: 'candidate-not-empty' });
        expect(await roles()).toEqual(before);
        await withClient(there, 'test', (client) => client.query('DROP DATABASE shop WITH (FORCE)'));
        await verb('seed');
        await verb('abandon');
        expect(await roles()).toEqual(before);
      });
    },
    [15, testMajor],
  );
});

test('without a superuser, abandon names the roles whose passwords the release set and nobody can give back', async () => {
  await betweenManaged(async (declaration, { admin }) => {
    const theirOwn = { ...admin, user: 'shop_app', password: 'of their own' };
    await withClient(admin, 'test', async (client) => {
      await client.query(`CREATE ROLE shop_app LOGIN PASSWORD '${theirOwn.password}'`);
      await client.query(`GRANT shop_app TO ${operatorRole} WITH ADMIN OPTION`);
    });
    const lets = (password: string) => withClient({ ...theirOwn, password }, 'test', () => Promise.resolve('in'));
    expect(await lets(theirOwn.password)).toBe('in');
    await withEnvironment({ declaration, existing: credentials }, async ({ verb, events }) => {
      await verb('seed');
      await verb('abandon');
      expect(await failure(lets(theirOwn.password))).toMatchObject({ code: '28P01' });
      expect(await lets(credentials.shop_app)).toBe('in');
      const said = events.flatMap((event) =>
        event.type === 'step' && event.step === 'clear-colour' ? [event.detail ?? ''] : [],
      );
      expect(said.at(-1)).toContain('the password that the release set for shop_app (');
    });
  });
});

/** What is in the database of a candidate that others run, and how it orders text. */
const held = `SELECT datcollate AS collation, (SELECT count(*)::int FROM pg_namespace WHERE nspname IN ('workload', 'verdigris')) AS schemas
  FROM pg_database WHERE datname = current_database()`;

/** What its owner has said of it there. */
const said = [
  "CREATE DATABASE shop TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C' CONNECTION LIMIT 50",
  'CREATE ROLE their_batch; REVOKE TEMPORARY ON DATABASE shop FROM PUBLIC; GRANT CREATE ON DATABASE shop TO their_batch',
  "ALTER DATABASE shop SET work_mem = '5MB'; COMMENT ON DATABASE shop IS 'of the batch'",
];

test('a seed that fails once it has copied leaves the database empty as it was, and the same command seeds it', async () => {
  await betweenServers(async (declaration, _, { superuser }) => {
    const shop = { ...superuser, database: 'shop' };
    const shape = () => withClient(superuser, 'test', (client) => readShape(client, 'shop'));
    await withClient(superuser, 'test', async (client) => {
      for (const each of said) await client.query(each);
    });
    const before = await shape();
    await withEnvironment({ declaration, existing: credentials }, async ({ environment, platform, emit, verb, on }) => {
      const stopped = new AbortController();
      const watched = (event: Parameters<typeof emit>[0]): void => {
        emit(event);
        if (event.type === 'step' && event.step === 'subscription') stopped.abort();
      };
      const seeding = withOperator({ environment, platform, signal: stopped.signal, emit: watched }, 'seed', (c) =>
        perform(c, 'seed', { early: true }),
      );
      expect(await failure(seeding)).toMatchObject({ name: 'AbortError' });
      expect(await withClient(shop, 'test', (client) => rows(client, held))).toEqual([{ collation: 'C', schemas: 0 }]);
      expect(await shape()).toEqual(before);
      await verb('seed');
      expect(await on('green', (client) => rows(client, held))).toEqual([{ collation: 'C', schemas: 2 }]);
      await verb('abandon');
    });
  });
});
