import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { withEnvironment } from '../../support/environment.ts';
import { failure } from '../../support/failure.ts';
import { withDatabase } from '../../support/postgres.ts';
import { withFolder } from '../backfill-release.ts';

const tables = `
  CREATE TABLE customer (id serial PRIMARY KEY, name text, note text, age int DEFAULT 1, seen timestamptz, day date);
  INSERT INTO customer (name, note, seen) SELECT 'n' || g, 'x', timestamptz '2026-01-01 20:00Z' + g * interval '1 hour'
    FROM generate_series(1, 9) g;
  CREATE TABLE orders (id bigserial PRIMARY KEY, customer_id int REFERENCES customer, qty int, buyer text);
  INSERT INTO orders (customer_id, qty) SELECT 1 + g % 9, g FROM generate_series(1, 20) g;
  CREATE TABLE audit (id bigserial PRIMARY KEY, what text);
  CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO public.audit (what) VALUES (TG_OP || NEW.id); RETURN NEW; END $$;
  CREATE TRIGGER audit AFTER UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION audit();
  CREATE TABLE part (id int, kind text, label text, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
  CREATE TABLE part_a PARTITION OF part FOR VALUES IN ('a');
  CREATE TABLE part_b PARTITION OF part FOR VALUES IN ('b');
  INSERT INTO part SELECT g, CASE g % 2 WHEN 0 THEN 'a' ELSE 'b' END, 'l' || g FROM generate_series(1, 8) g;
  CREATE TABLE old_note (id int PRIMARY KEY, body text);
  INSERT INTO old_note SELECT g, 'b' || g FROM generate_series(1, 5) g;
  CREATE TABLE scratch (id int PRIMARY KEY);
  INSERT INTO scratch VALUES (1), (2);
  CREATE TABLE ident (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
  INSERT INTO ident (v) VALUES ('one');
  CREATE TABLE item (id int PRIMARY KEY, seen timestamptz);
  INSERT INTO item SELECT g, timestamptz '2026-01-01 20:00Z' FROM generate_series(1, 3) g;
  CREATE SEQUENCE ticket START 100;
  CREATE VIEW customers AS SELECT id, name, note FROM customer;`;

const files: Record<string, string> = {
  '0001_chain.sql': `ALTER TABLE old_note ADD f1 text, ADD f2 text, ADD f3 text, ADD f4 text, ADD f5 text;
    UPDATE old_note SET f1 = upper(body);
    UPDATE old_note SET f2 = f1 || '2';
    UPDATE old_note SET f3 = f2 || '3';
    UPDATE old_note SET f4 = f3 || '4';
    UPDATE old_note SET f5 = f4 || '5';`,
  '0003_zone.sql': `ALTER TABLE item ADD day date;
    SET LOCAL timezone = 'Asia/Tokyo';
    UPDATE item SET day = seen::date;`,
  '0004_held_zone.sql': `SET LOCAL timezone = 'Asia/Tokyo';
    UPDATE customer SET day = seen::date;`,
  '0005_own_zone.sql': `UPDATE customer SET note = note || seen::date WHERE id = 6;`,
  '0006_merge.sql': `MERGE INTO customer c USING (VALUES (1, 'm1'), (900, 'm900')) AS v (id, name) ON c.id = v.id
      WHEN MATCHED THEN UPDATE SET name = v.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES (v.id, v.name);`,
  '0007_cte.sql': `CREATE TABLE archive (id int PRIMARY KEY, body text);
    WITH gone AS (DELETE FROM old_note WHERE id > 2 RETURNING id, body), a AS (INSERT INTO archive SELECT * FROM gone RETURNING id)
      UPDATE customer SET note = 'cte' WHERE id IN (SELECT id FROM a);`,
  '0008_from.sql': `UPDATE orders o SET buyer = c.name FROM customer c WHERE c.id = o.customer_id;`,
  '0009_sequence.sql': `INSERT INTO scratch SELECT nextval('ticket') FROM generate_series(1, 3);`,
  '0010_truncate.sql': `TRUNCATE ident; INSERT INTO ident (id, v) OVERRIDING SYSTEM VALUE VALUES (500, 'z');`,
  '0011_view.sql': `UPDATE customers SET note = note || 'v' WHERE id = 5;`,
  '0012_format.sql': `DO $$ DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['orders'] LOOP
      EXECUTE format('UPDATE %I SET qty = qty + 100 WHERE id < 4', t); END LOOP; END $$;`,
  '0013_call.sql': `CREATE PROCEDURE tidy() LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.orders WHERE id = 20; END $$;
    CALL tidy();`,
  '0014_part.sql': `ALTER TABLE part ADD loud text; UPDATE part SET loud = upper(label);`,
  '0015_multi.sql': `ALTER TABLE customer ADD orders int, ADD most int;
    UPDATE customer SET (orders, most) = (SELECT count(*), max(qty) FROM orders o WHERE o.customer_id = customer.id);`,
  '0017_only_new.sql': `ALTER TABLE orders ADD mark text;
    MERGE INTO orders o USING customer c ON c.id = o.customer_id WHEN MATCHED THEN UPDATE SET mark = c.name;`,
  '0018_copy_of.sql': `CREATE TABLE order_copy (LIKE orders INCLUDING ALL); INSERT INTO order_copy SELECT * FROM orders;
    CREATE TABLE totals AS SELECT customer_id, sum(qty) FROM orders GROUP BY 1;`,
};

const writes = `
  INSERT INTO customer (name, note, seen) VALUES ('late', 'w', '2026-03-01 22:00Z');
  UPDATE customer SET name = name || 'w', seen = seen + interval '5 hours' WHERE id IN (2, 3);
  INSERT INTO orders (customer_id, qty) VALUES (2, 77);
  INSERT INTO part VALUES (20, 'a', 'l20'); UPDATE part SET label = 'moved', kind = 'a' WHERE id = 3;
  INSERT INTO old_note VALUES (9, 'b9'); UPDATE old_note SET body = 'c2' WHERE id = 2;
  INSERT INTO item VALUES (9, '2026-01-01 22:00Z'); SELECT nextval('ticket');`;

/** Their ids come from sequences, which may leave some out. */
const drawn = ['audit', 'scratch'];

const contents = async (client: Client): Promise<Record<string, unknown>> => {
  const names = await rows<{ name: string }>(
    client,
    "SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace ORDER BY 1",
  );
  const found: Record<string, unknown> = {};
  for (const { name } of names)
    found[name] = (
      await rows<{ row: string }>(
        client,
        `SELECT (to_jsonb(t)${drawn.includes(name) ? " - 'id'" : ''})::text AS row FROM ${name} t ORDER BY 1`,
      )
    ).map(({ row }) => row);
  return found;
};

test(
  'data statements of many forms give what they give where nothing is replicated',
  { timeout: 300_000 },
  async () => {
    await withFolder(files, async (folder) => {
      await withDatabase(async (reference) => {
        await reference.query(tables);
        const fill = async (client: Client): Promise<void> => void (await client.query(tables));
        await withEnvironment({ migrations: folder, fill, declaration: { limits: { pause: '20s' } } }, async (test) => {
          await test.verb('seed');
          await test.verb('migrate');
          await test.on('blue', (client) => client.query(writes));
          await reference.query(writes);
          await test.verb('verify');
          await test.verb('switch');
          for (const text of Object.values(files)) await reference.query(`BEGIN; ${text} COMMIT`);
          expect(await test.on('green', contents)).toEqual(await contents(reference));
          await test.verb('rollback');
        });
      });
    });
  },
);

test('rows that are to change without their triggers are refused, before the seed where the text shows it', async () => {
  const text = (off: string) =>
    `${off}; UPDATE customer SET note = 'quiet'; ALTER TABLE customer ENABLE TRIGGER audit;`;
  const [off, name] = ['ALTER TABLE customer DISABLE TRIGGER audit', 'public.customer audit'];
  await withFolder({ '0001_quiet.sql': text(off) }, async (folder) => {
    const fill = async (client: Client): Promise<void> => void (await client.query(tables));
    await withEnvironment({ migrations: folder, fill }, async (test) => {
      const change = (sql: string) => writeFile(path.join(folder, '0001_quiet.sql'), sql);
      const refused = async (verb: 'seed' | 'migrate', trigger: string) =>
        expect(await failure(test.verb(verb))).toMatchObject({
          id: 'data-statement-triggers',
          facts: { triggers: [trigger] },
        });
      await refused('seed', name);
      await change(text('SET session_replication_role = replica'));
      await refused('seed', 'all of session_replication_role = replica');
      await change(text(`DO $$ BEGIN ${off}; END $$`));
      await test.verb('seed');
      await refused('migrate', name);
      expect(await test.on('green', (client) => rows(client, "SELECT FROM customer WHERE note = 'quiet'"))).toEqual([]);
      await change(text("DO $$ BEGIN PERFORM set_config('session_replication_role', 'replica', false); END $$"));
      await refused('migrate', 'all of session_replication_role = replica');
    });
  });
});
