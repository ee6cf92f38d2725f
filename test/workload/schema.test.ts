import { expect, test } from 'vitest';
import { one } from '../../src/postgres/client.ts';
import { dropWorkload, prepareWorkload } from '../../src/workload/schema.ts';
import { withDatabase } from '../support/postgres.ts';

test('a schema workload that somebody else made and marked as ours is neither used nor dropped', async () => {
  await withDatabase(async (client) => {
    await client.query(`CREATE ROLE app LOGIN; GRANT CREATE ON DATABASE test TO app; SET SESSION AUTHORIZATION app;
      CREATE SCHEMA workload; COMMENT ON SCHEMA workload IS 'Synthetic workload of Verdigris';
      CREATE FUNCTION workload.climb() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN ALTER ROLE app SUPERUSER; RETURN 0; END $$;
      CREATE TABLE workload.account (id int PRIMARY KEY, balance bigint NOT NULL DEFAULT workload.climb());
      RESET SESSION AUTHORIZATION`);
    const roles = { writer: 'app', reader: 'app' };
    const prepared = prepareWorkload(client, { roles, writers: 1 });
    await expect(prepared).rejects.toMatchObject({ id: 'workload-schema-taken' });
    expect(await one(client, "SELECT rolsuper FROM pg_roles WHERE rolname = 'app'")).toEqual({ rolsuper: false });
    await dropWorkload(client);
    expect(await one(client, "SELECT to_regclass('workload.account') IS NOT NULL AS there")).toEqual({ there: true });

    await client.query('DROP SCHEMA workload CASCADE');
    for (let again = 0; again < 2; again++) await prepareWorkload(client, { roles, writers: 1 });
    // One of ours into which somebody else put a table.
    await client.query('CREATE TABLE workload.more (); ALTER TABLE workload.more OWNER TO app');
    await expect(prepareWorkload(client, { roles, writers: 1 })).rejects.toMatchObject({ id: 'workload-schema-taken' });
    await client.query('DROP TABLE workload.more');
    await dropWorkload(client);
    expect(await one(client, "SELECT to_regnamespace('workload') IS NULL AS gone")).toEqual({ gone: true });
  });
});
