import { expect, test } from 'vitest';
import { rows, type Client } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { ensureControlSchema } from '../../src/postgres/control.ts';
import { carrySequences, rememberSequences } from '../../src/postgres/sequences.ts';
import { connectionTo, withServer } from '../support/postgres.ts';

/** Two databases with the same sequences, as a copy has them. */
async function withCopy(make: string, use: (from: Client, to: Client) => Promise<void>): Promise<void> {
  await withServer(async (server) => {
    await withClient(connectionTo(server), 'test', async (client) => {
      await client.query('CREATE DATABASE live');
      await client.query('CREATE DATABASE copy');
    });
    await withClient(connectionTo(server, 'live'), 'test', (from) =>
      withClient(connectionTo(server, 'copy'), 'test', async (to) => {
        for (const client of [from, to]) {
          await ensureControlSchema(client);
          await client.query(make);
        }
        // Over a connection of its own, as at a seed: one knows what sequences there were when it first asked.
        await withClient(connectionTo(server, 'copy'), 'test', rememberSequences);
        await use(from, to);
      }),
    );
  });
}

const next = async (client: Client, sequence: string) =>
  (await rows<{ next: string }>(client, 'SELECT nextval($1)::text AS next', [sequence]))[0]?.next;

test('a sequence that was set and not called, or restarted, gives the same next number on the other side', async () => {
  await withCopy(
    `CREATE SEQUENCE a; CREATE SEQUENCE b INCREMENT -5; CREATE SEQUENCE "q""S'";
     SELECT nextval('a') FROM generate_series(1, 10); SELECT nextval('b') FROM generate_series(1, 10)`,
    async (from, to) => {
      await from.query(
        `SELECT setval('a', 501, false); ALTER SEQUENCE b RESTART WITH -1000; SELECT setval('"q""S''"', 9007199254740993, false)`,
      );
      expect(await carrySequences(from, to)).toBe(3);
      expect([await next(to, 'a'), await next(to, 'b'), await next(to, `"q""S'"`)]).toEqual([
        '501',
        '-1000',
        '9007199254740993',
      ]);
    },
  );
});

test('a sequence that was moved back on the live side is moved back, unless the other side drew from it itself', async () => {
  await withCopy(
    "CREATE SEQUENCE a; CREATE SEQUENCE own; SELECT setval('a', 700), setval('own', 700)",
    async (from, to) => {
      await next(to, 'own');
      await from.query('ALTER SEQUENCE a RESTART; ALTER SEQUENCE own RESTART');
      await carrySequences(from, to);
      expect([await next(to, 'a'), await next(to, 'own')]).toEqual(['1', '702']);
    },
  );
});

test('a sequence in use goes on behind what was handed out, both ways and without end at its bounds', async () => {
  await withCopy(
    'CREATE SEQUENCE up CACHE 50; CREATE SEQUENCE down INCREMENT -1; CREATE SEQUENCE narrow MAXVALUE 20 CYCLE; CREATE SEQUENCE idle; ' +
      'CREATE SEQUENCE near MAXVALUE 20 CYCLE',
    async (from, to) => {
      await from.query("SELECT nextval('up'), nextval('down'), setval('narrow', 20), setval('near', 15)");
      await carrySequences(from, to);
      const numbers: (string | undefined)[] = [];
      for (const name of ['up', 'down', 'narrow', 'near', 'idle']) numbers.push(await next(to, name));
      expect(numbers).toEqual(['101', '-34', '1', '16', '1']);
    },
  );
});

test('over one connection only what moved since is carried again', async () => {
  await withCopy('CREATE SEQUENCE a; CREATE SEQUENCE b', async (from, to) => {
    await carrySequences(from, to);
    await next(from, 'a');
    expect(await carrySequences(from, to)).toBe(1);
    expect(await next(to, 'a')).toBe('34');
    expect(await carrySequences(from, to)).toBe(0);
  });
});

test('what fills a column continues what filled it on the other side, the furthest of them, and nothing beside it', async () => {
  const make = `
    CREATE TABLE t (id serial PRIMARY KEY); CREATE TABLE u (id bigint PRIMARY KEY); CREATE SEQUENCE shared;
    ALTER TABLE u ALTER id SET DEFAULT nextval('shared'); CREATE TABLE v (id bigint PRIMARY KEY DEFAULT nextval('shared'));
    CREATE SEQUENCE lone OWNED BY t.id; CREATE SEQUENCE called OWNED BY v.id;`;
  await withCopy(make, async (from, to) => {
    await to.query(`
      ALTER SEQUENCE t_id_seq RENAME TO "T"; ALTER SEQUENCE called RENAME TO calls; CREATE SEQUENCE of_v;
      ALTER TABLE v ALTER id SET DEFAULT nextval('of_v'); CREATE TABLE w (id serial); CREATE SEQUENCE down INCREMENT -1;
      CREATE TABLE x (id int DEFAULT nextval('down'))`);
    await from.query(
      "SELECT setval('t_id_seq', 100), setval('shared', 200), setval('lone', 300), setval('called', 400)",
    );
    await carrySequences(from, to);
    const all = async (client: Client, names: readonly string[]) => {
      const found: (string | undefined)[] = [];
      for (const name of names) found.push(await next(client, name));
      return found;
    };
    const there = ['"T"', 'shared', 'of_v', 'lone', 'calls', 'w_id_seq', 'down'];
    expect(await all(to, there)).toEqual(['133', '233', '233', '333', '433', '1', '-1']);
    await to.query(`SELECT setval('"T"', 1000), setval('shared', 2000), setval('of_v', 5000), setval('calls', 4000)`);
    await carrySequences(to, from);
    // One of two that moves on must not draw back what has to be beyond both.
    await next(to, 'shared');
    await carrySequences(to, from);
    expect(await all(from, ['t_id_seq', 'shared', 'lone', 'called'])).toEqual(['1033', '5033', '366', '4033']);
  });
});

test('a table of somebody who may not use a sequence does not tie it to one of theirs', async () => {
  await withCopy(
    `CREATE SEQUENCE orders; SELECT setval('orders', 40);
     DO $$ BEGIN CREATE ROLE stranger; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
     CREATE SCHEMA theirs AUTHORIZATION stranger; SET ROLE stranger;
     CREATE SEQUENCE theirs.far; SELECT setval('theirs.far', 9000000000000000000);
     CREATE TABLE theirs.trap (n bigint DEFAULT nextval('public.orders') + nextval('theirs.far')); RESET ROLE`,
    async (from, to) => {
      await to.query('ALTER SEQUENCE orders RENAME TO order_numbers; ALTER SEQUENCE order_numbers RESTART');
      await carrySequences(from, to);
      expect(BigInt((await next(to, 'order_numbers')) ?? 0)).toBeLessThan(100n);
      // Their own is carried as all are.
      expect(BigInt((await next(to, 'theirs.far')) ?? 0)).toBeGreaterThan(9000000000000000000n);
    },
  );
});
