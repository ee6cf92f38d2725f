import { expect, test } from 'vitest';
import { postgresStores } from '../../../src/platform/postgres-journal/stores.ts';
import type { ConnectionSettings } from '../../../src/postgres/connection.ts';
import { withOwnSession } from '../../../src/postgres/session.ts';
import { connectionTo, withDatabase } from '../../support/postgres.ts';

async function refusal(settings: ConnectionSettings): Promise<unknown> {
  const stores = postgresStores(settings, 'shop');
  try {
    return await stores.journal.read().then(
      () => undefined,
      (error: unknown) => error,
    );
  } finally {
    await stores.close();
  }
}

test("a journal's schema or table that somebody else made is refused before anything is read or written there", async () => {
  await withDatabase(async (client, server) => {
    const [operator, keeper] = [connectionTo(server, 'test'), { ...connectionTo(server, 'test'), user: 'keeper' }];
    await client.query(`CREATE ROLE app; CREATE ROLE keeper LOGIN; CREATE ROLE staff; GRANT CREATE ON DATABASE test TO app, keeper;
      SET ROLE app; CREATE SCHEMA verdigris_journal; GRANT ALL ON SCHEMA verdigris_journal TO PUBLIC; RESET ROLE`);
    const ofApp = { id: 'schema-taken', seen: expect.stringContaining('belongs to app') };
    expect(await refusal(operator)).toMatchObject(ofApp);
    expect(await refusal(keeper)).toMatchObject(ofApp);
    // A table alone, with code that would run as who writes it.
    await client.query(`DROP SCHEMA verdigris_journal CASCADE; CREATE SCHEMA verdigris_journal AUTHORIZATION keeper;
      GRANT ALL ON SCHEMA verdigris_journal TO app; SET ROLE app;
      CREATE TABLE verdigris_journal.drill (environment text, started_at text, outcome text NOT NULL); RESET ROLE`);
    expect(await refusal(keeper)).toMatchObject(ofApp);
    await client.query('DROP TABLE verdigris_journal.drill');
    expect(await refusal(keeper)).toBeUndefined();
    // As it is by now, the schema is right for who made it and nobody's for a superuser.
    expect(await refusal(operator)).toMatchObject({ id: 'schema-taken', seen: expect.stringContaining('to keeper') });
    // What the error says to do works from here.
    await client.query('REASSIGN OWNED BY keeper TO verdigris_operator');
    expect(await refusal(operator)).toBeUndefined();
    // A role that the user is a member of, and the database's owner, are trusted by who made them so.
    for (const trusted of ['GRANT staff TO keeper', 'REVOKE staff FROM keeper; ALTER DATABASE test OWNER TO staff']) {
      await client.query(`${trusted}; ALTER SCHEMA verdigris_journal OWNER TO staff; GRANT ALL ON SCHEMA verdigris_journal TO keeper;
        GRANT ALL ON ALL TABLES IN SCHEMA verdigris_journal TO keeper`);
      expect(await refusal(keeper)).toBeUndefined();
    }
  });
});

test("nobody whom the journal's server lets in keeps it from being made: his lock is none of ours, and a transaction of his is named", async () => {
  await withDatabase(async (client, server) => {
    await client.query('CREATE ROLE app LOGIN; GRANT CREATE ON DATABASE test TO app');
    const operator = connectionTo(server, 'test');
    await withOwnSession({ ...operator, user: 'app' }, 'test', async (his) => {
      await his.query("SELECT pg_advisory_lock(hashtext('verdigris_journal'))");
      await his.query('BEGIN; CREATE SCHEMA verdigris_journal');
      expect(await refusal(operator)).toMatchObject({
        id: 'journal-unreachable',
        seen: expect.stringContaining('somebody else makes verdigris_journal there'),
      });
      await his.query('ROLLBACK');
      // Several at once, beside the lock.
      expect(await Promise.all([1, 2, 3, 4].map(() => refusal(operator)))).toEqual(Array(4).fill(undefined));
    });
  });
});
