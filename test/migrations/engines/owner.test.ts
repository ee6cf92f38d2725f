import { expect, test } from 'vitest';
import { commandEngine } from '../../../src/migrations/engines/command.ts';
import { fillAll } from '../../../src/migrations/backfill/fill-all.ts';
import { withOwnerSession } from '../../../src/migrations/owner-session.ts';
import { rows, withTransaction, type Client } from '../../../src/postgres/client.ts';
import { defaultsFollow, migrationOwner } from '../../../src/postgres/owners.ts';
import { leftBehind, plainSql, withBench } from './support.ts';

const shop = `CREATE ROLE shop_owner; CREATE ROLE app; CREATE ROLE other SUPERUSER; CREATE SCHEMA shop AUTHORIZATION shop_owner;
  SET ROLE shop_owner; CREATE TABLE shop.item (id int PRIMARY KEY); RESET ROLE; ALTER DATABASE test OWNER TO other;
  ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT, INSERT ON TABLES TO app`;

async function ownersOf(client: Client, names: readonly string[]): Promise<unknown[]> {
  return rows(
    client,
    'SELECT relname AS name, relowner::regrole::text AS owner FROM pg_class WHERE relname = ANY($1) ORDER BY 1',
    [names],
  );
}

test('migrations run as the owner of the schema: what they make is his, by his default privileges, and no SET ROLE leads past him', async () => {
  await withBench(undefined, async ({ client, apply, folder, write }) => {
    await client.query(shop);
    const owner = await migrationOwner(client, undefined);
    expect(owner).toBe('shop_owner');
    expect(await defaultsFollow(client, 'shop_owner')).toBe(1);
    expect(await defaultsFollow(client, 'shop_owner')).toBe(0);
    const engine = plainSql(folder);
    await write(
      '0001_shop.sql',
      `CREATE TABLE shop.fresh (made_by text DEFAULT current_user); INSERT INTO shop.fresh DEFAULT VALUES;
      CREATE FUNCTION shop.me() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT current_user::text';
      RESET ROLE; CREATE TABLE shop.after_reset (id int)`,
    );
    await write('repeatable/v.sql', 'CREATE OR REPLACE VIEW shop.v AS SELECT id FROM shop.item');
    await apply(engine, { owner });
    expect(await ownersOf(client, ['fresh', 'after_reset', 'v', 'migration'])).toEqual([
      { name: 'after_reset', owner: 'shop_owner' },
      { name: 'fresh', owner: 'shop_owner' },
      { name: 'migration', owner: 'verdigris_operator' },
      { name: 'v', owner: 'shop_owner' },
    ]);
    expect(
      await rows(
        client,
        "SELECT made_by AS by, shop.me() AS me, has_table_privilege('app', 'shop.fresh', 'INSERT') AS granted FROM shop.fresh",
      ),
    ).toEqual([{ by: 'shop_owner', me: 'shop_owner', granted: true }]);

    await write('0002_other.sql', 'SET ROLE other; CREATE TABLE shop.taken (id int)');
    await expect(apply(engine, { owner })).rejects.toMatchObject({
      id: 'migration-failed',
      seen: expect.stringContaining('permission denied to set role "other"'),
    });
    expect(await ownersOf(client, ['taken'])).toEqual([]);
  });
});

test('a trigger that its table defers to the commit runs as the owner, whatever its function is', async () => {
  await withBench(undefined, async ({ client, apply, folder, write }) => {
    await client.query(shop);
    await client.query(`SET ROLE shop_owner; CREATE TABLE shop.ran (by text);
      CREATE FUNCTION shop.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO shop.ran VALUES (current_user); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER late AFTER INSERT ON shop.item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shop.note();
      RESET ROLE`);
    const engine = plainSql(folder);
    await write('0001_row.sql', 'INSERT INTO shop.item VALUES (1)');
    await write('repeatable/row.sql', 'INSERT INTO shop.item VALUES (2)');
    await apply(engine, { owner: 'shop_owner' });
    expect(await rows(client, 'SELECT by FROM shop.ran')).toEqual([{ by: 'shop_owner' }, { by: 'shop_owner' }]);

    await client.query(
      'ALTER TABLE shop.item ADD CONSTRAINT later FOREIGN KEY (id) REFERENCES shop.item (id) DEFERRABLE INITIALLY DEFERRED',
    );
    await client.query('CREATE TABLE shop.part (item int REFERENCES shop.item DEFERRABLE INITIALLY DEFERRED)');
    await client.query('ALTER TABLE shop.part OWNER TO shop_owner');
    await write('0002_order.sql', 'INSERT INTO shop.part VALUES (3); INSERT INTO shop.item VALUES (3)');
    await apply(engine, { owner: 'shop_owner' });
    await write('0003_orphan.sql', 'INSERT INTO shop.part VALUES (4)');
    await expect(apply(engine, { owner: 'shop_owner' })).rejects.toMatchObject({
      id: 'migration-failed',
      facts: { file: expect.stringContaining('0003_orphan.sql'), sqlstate: '23503' },
    });
  });
});

test.each([
  ['an event trigger', 'CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION public.seen()'],
  ['a publication of all tables', 'CREATE PUBLICATION p FOR ALL TABLES'],
  [
    'outside a transaction',
    'CREATE PUBLICATION p FOR ALL TABLES; CREATE INDEX CONCURRENTLY item_again ON shop.item (id)',
  ],
])('%s is refused to the owner, and made by the note that the refusal names', async (_what, statement) => {
  await withBench(undefined, async ({ client, apply, folder, write, rehearse }) => {
    await client.query(shop);
    await client.query(
      'CREATE FUNCTION public.seen() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$; ALTER FUNCTION public.seen() OWNER TO shop_owner',
    );
    const engine = plainSql(folder);
    await write('0001_a.sql', statement);
    await expect(apply(engine, { owner: 'shop_owner' })).rejects.toMatchObject({
      id: 'migration-failed',
      next: expect.stringContaining('`-- verdigris: as superuser because …`'),
      facts: { sqlstate: '42501' },
    });
    await write('0001_a.sql', `-- verdigris: as superuser\n${statement}`);
    await expect(apply(engine, { owner: 'shop_owner' })).rejects.toMatchObject({ id: 'superuser-note' });
    await write('0001_a.sql', `-- verdigris: as superuser because nobody else may\n${statement}`);
    await rehearse(engine);
    expect(await apply(engine, { owner: 'shop_owner' })).toHaveLength(1);
  });
});

test("a tool logs in as a member of the owner alone, and what its session makes is the owner's", async () => {
  await withBench(undefined, async ({ client, apply, folder, write }) => {
    await client.query(shop);
    await write(
      'migrate.mjs',
      `import pg from ${JSON.stringify(import.meta.resolve('pg'))};
      const client = new pg.Client(process.env.DATABASE_URL);
      await client.connect();
      await client.query('CREATE TABLE shop.by_tool (id int)');
      for (const role of ['verdigris_operator', 'other', 'app'])
        if (await client.query('SET ROLE ' + role).then(() => true, () => false)) process.exit(3);
      await client.end();`,
    );
    await apply(commandEngine(folder, [process.execPath, 'migrate.mjs']), { owner: 'shop_owner' });
    expect(await ownersOf(client, ['by_tool'])).toEqual([{ name: 'by_tool', owner: 'shop_owner' }]);
  });
});

test("whom migrations run as: the declared role; the database's owner; the schema's; nobody where owners are several or superusers", async () => {
  await withBench(undefined, async ({ client }) => {
    expect(await migrationOwner(client, undefined)).toBeUndefined();
    await client.query(`${shop}; CREATE ROLE second; GRANT second TO app`);
    expect(await migrationOwner(client, undefined)).toBe('shop_owner');
    expect(await migrationOwner(client, 'other')).toBe('other');
    await expect(migrationOwner(client, 'nobody')).rejects.toMatchObject({ id: 'migration-owner-missing' });
    await client.query('CREATE TABLE public.mixed (id int)');
    expect(await migrationOwner(client, undefined)).toBeUndefined();
    await client.query('ALTER TABLE public.mixed OWNER TO second; ALTER DATABASE test OWNER TO second');
    expect(await migrationOwner(client, undefined)).toBeUndefined();
    // Who is a member of the other owner, and may add to his schema, can change it all.
    await client.query('GRANT shop_owner TO second');
    expect(await migrationOwner(client, undefined)).toBe('second');
  });
});

/** Climbs wherever SET ROLE can be taken back, and tells as whom it ended. */
const climber = `CREATE TABLE shop.climbed (how text, superuser boolean); GRANT INSERT ON shop.climbed TO PUBLIC;
  CREATE FUNCTION shop.climb(how text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    BEGIN EXECUTE 'RESET ROLE'; EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN EXECUTE 'SET ROLE NONE'; EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN EXECUTE 'SET SESSION AUTHORIZATION DEFAULT'; EXCEPTION WHEN OTHERS THEN NULL; END;
    INSERT INTO shop.climbed SELECT how, rolsuper FROM pg_roles WHERE rolname = current_user;
    BEGIN EXECUTE 'ALTER ROLE shop_owner SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END;
    RETURN 1;
  END $$;
  CREATE FUNCTION shop.climbing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM shop.climb(TG_NAME); RETURN NULL; END $$;
  CREATE CONSTRAINT TRIGGER late AFTER INSERT ON shop.item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shop.climbing()`;

test("code that takes SET ROLE back finds no superuser, wherever the owner's SQL runs; what the login makes is the owner's", async () => {
  await withBench(undefined, async ({ client, connection, apply, folder, write }) => {
    await client.query(`${shop}; SET ROLE shop_owner; ${climber}; RESET ROLE`);
    const engine = plainSql(folder);
    await write('0001_row.sql', "SELECT shop.climb('migration'); INSERT INTO shop.item VALUES (1)");
    await write('0002_alone.sql', "SELECT shop.climb('alone'); CREATE INDEX CONCURRENTLY ON shop.item (id)");
    await write(
      '0003_none.sql',
      `SET ROLE NONE; CREATE FUNCTION shop.left_over() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT current_user::text'`,
    );
    await write('repeatable/v.sql', "SELECT shop.climb('repeatable')");
    await write(
      '0004_fill.backfill.yaml',
      "table: shop.item\nset: id = id * shop.climb('backfill')\nwhere: id > 0\nkey: [twin]\n",
    );
    await client.query('SET ROLE shop_owner; ALTER TABLE shop.item ADD twin int NOT NULL UNIQUE DEFAULT 7; RESET ROLE');
    const target = { client, connection, owner: 'shop_owner', lockTimeout: 0, statementTimeout: 0, quietly: true };
    await apply(engine, { owner: 'shop_owner' });
    await withOwnerSession(target, (session) =>
      fillAll({ client: session, operator: client, owner: 'shop_owner' }, folder, '2', new AbortController().signal),
    );
    await withOwnerSession(target, (session) =>
      withTransaction(session, async () => {
        await engine.rehearse?.(session, undefined, 'shop_owner', client);
        await session.query("SELECT shop.climb('rehearsed')");
      }),
    );
    expect(await rows(client, 'SELECT how, superuser FROM shop.climbed GROUP BY 1, 2 ORDER BY 1')).toEqual(
      ['alone', 'backfill', 'late', 'migration', 'rehearsed', 'repeatable'].map((how) => ({ how, superuser: false })),
    );
    expect(await rows(client, "SELECT rolsuper FROM pg_roles WHERE rolname = 'shop_owner'")).toEqual([
      { rolsuper: false },
    ]);
    expect(await rows(client, 'SELECT shop.left_over() AS by')).toEqual([{ by: 'shop_owner' }]);
    expect(await leftBehind(client)).toEqual([]);
  });
});
