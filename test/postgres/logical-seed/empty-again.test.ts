import { expect, test } from 'vitest';
import { operatorRole } from '../../../src/model/names.ts';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { readShape } from '../../../src/postgres/database-shape.ts';
import { beginSeed } from '../../../src/postgres/logical-seed/ledger.ts';
import { emptyAgain, filledBySeed, isReplaced } from '../../../src/postgres/logical-seed/empty-again.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { withManaged } from '../../support/managed.ts';
import { connectionTo, testMajor, withServer } from '../../support/postgres.ts';

const named = `the "odd" one's`;
const quoted = `"the ""odd"" one's"`;

/** As its owner has made it, years ago. */
const theirs = [
  `CREATE ROLE "their owner"; CREATE ROLE batch`,
  `CREATE DATABASE ${quoted} TEMPLATE template0 OWNER "their owner" LC_COLLATE 'C' LC_CTYPE 'C' CONNECTION LIMIT 7 IS_TEMPLATE true`,
  `REVOKE ALL ON DATABASE ${quoted} FROM PUBLIC`,
  `GRANT CONNECT ON DATABASE ${quoted} TO batch WITH GRANT OPTION`,
  `ALTER DATABASE ${quoted} SET search_path TO "a b", public`,
  `ALTER ROLE batch IN DATABASE ${quoted} SET work_mem = '5MB'`,
  `COMMENT ON DATABASE ${quoted} IS 'ask it''s owner'`,
];

/** What a seed carries there from a live database that is otherwise. */
const carried = [
  `ALTER DATABASE ${quoted} OWNER TO ${operatorRole}`,
  `ALTER DATABASE ${quoted} CONNECTION LIMIT 9`,
  `ALTER DATABASE ${quoted} RESET search_path`,
  `ALTER DATABASE ${quoted} SET jit = off`,
  `REVOKE CONNECT ON DATABASE ${quoted} FROM batch`,
  `GRANT TEMPORARY ON DATABASE ${quoted} TO PUBLIC`,
];

const run = async (client: Client, statements: readonly string[]): Promise<void> => {
  for (const each of statements) await client.query(each);
};

test('a database that a seed has filled is empty again as its owner had it, also after a death; another one of its name is not dropped', async () => {
  await withServer(async (server) => {
    const [inside, at] = [connectionTo(server, named), connectionTo(server)];
    const in_ = <T>(use: (client: Client) => Promise<T>) => withClient(inside, 'test', use);
    const tables = () => in_((client) => rows(client, "SELECT relname FROM pg_class WHERE relname = 'filled'"));
    await withClient(at, 'test', async (client) => {
      await run(client, theirs);
      const before = await readShape(client, named);
      await run(client, carried);
      await in_(async (filling) => {
        await beginSeed(filling, { method: 'snapshot', stream: 'verdigris_a' }, []);
        await filling.query('CREATE TABLE filled ()');
      });
      if (!before) throw new Error('it is there');
      const found = (stream: string) => filledBySeed(inside, [named, 'absent'], [stream], { [named]: before });
      expect(await found('another')).toEqual({});
      const filled = await found('verdigris_a');
      expect(Object.keys(filled)).toEqual([named]);
      expect(await isReplaced(at, named, filled)).toBe(false);

      // Somebody's slot holds it: it stays, and nothing fails.
      await in_((own) => own.query("SELECT pg_create_logical_replication_slot('theirs', 'test_decoding')"));
      expect(await emptyAgain(at, named, filled)).toEqual({ empty: false, refused: [] });
      expect(await tables()).toHaveLength(1);
      await client.query("SELECT pg_drop_replication_slot('theirs')");
      await client.query(`ALTER DATABASE ${quoted} IS_TEMPLATE true`);

      expect(await emptyAgain(at, named, filled)).toEqual({ empty: true, refused: [] });
      expect(await readShape(client, named)).toEqual(before);
      expect(await tables()).toEqual([]);
      expect(await isReplaced(at, named, filled)).toBe(true);

      // Dropped, and not made again.
      await run(client, [`ALTER DATABASE ${quoted} IS_TEMPLATE false`, `DROP DATABASE ${quoted}`]);
      expect(await emptyAgain(at, named, filled)).toEqual({ empty: true, refused: [] });
      expect(await readShape(client, named)).toEqual(before);

      // Made again and not as it was; what its owner has put there since is theirs.
      await run(client, carried);
      await in_((own) => own.query('CREATE TABLE filled ()'));
      expect(await emptyAgain(at, named, filled)).toEqual({ empty: true, refused: [] });
      expect(await readShape(client, named)).toEqual(before);
      expect(await tables()).toHaveLength(1);

      // Of a role that is gone.
      await client.query('DROP OWNED BY batch; DROP ROLE batch');
      const { refused } = await emptyAgain(at, named, filled);
      expect(refused).toEqual(['the setting work_mem of batch', 'CONNECT of batch']);
    });
  });
});

test('a database in which a role that no fence closes has made something is not emptied; what an extension brought is no such thing', async () => {
  await withManaged(async (operator, server, reserved) => {
    const at = connectionTo(server, 'shop');
    const stays = async () => Object.keys(await filledBySeed(at, ['shop'], ['verdigris_a'], {})).length === 0;
    await beginSeed(operator, { method: 'snapshot', stream: 'verdigris_a' }, []);
    await reserved.query(
      'CREATE ROLE guest LOGIN; GRANT CREATE ON DATABASE shop TO guest; CREATE EXTENSION dblink SCHEMA public',
    );
    if (testMajor >= 15) await reserved.query('GRANT CREATE ON SCHEMA public TO guest');
    await operator.query('CREATE ROLE batch LOGIN; CREATE TABLE public.seeded (id serial PRIMARY KEY, v text)');
    await reserved.query('CREATE TEMP TABLE of_a_session (v text)');
    expect(await stays()).toBe(false);
    const theirs = [
      ['CREATE SCHEMA theirs', 'DROP SCHEMA theirs'],
      ['CREATE TABLE public.theirs (v text)', 'DROP TABLE public.theirs'],
      ['CREATE FUNCTION public.theirs() RETURNS int RETURN 1', 'DROP FUNCTION public.theirs()'],
      ['SELECT lo_create(424242)', 'SELECT lo_unlink(424242)'],
    ] as const;
    await withClient(connectionTo(server, 'shop', 'guest'), 'test', async (guest) => {
      for (const [who, client] of [
        ['the superuser', reserved],
        ['guest', guest],
      ] as const)
        for (const [make, drop] of theirs) {
          await client.query(make);
          expect(await stays(), `${who}: ${make}`).toBe(true);
          await client.query(drop);
          expect(await stays(), `${who}: ${drop}`).toBe(false);
        }
    });
    // Closed by the fence: what it owns is the seed's doing.
    await reserved.query('ALTER TABLE public.seeded OWNER TO batch; ALTER ROLE batch NOLOGIN');
    expect(await stays()).toBe(false);
  });
});
