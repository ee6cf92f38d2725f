import { expect, test } from 'vitest';
import { label, readTables } from '../../../src/postgres/catalogue.ts';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { readSchema } from '../../../src/postgres/fingerprint/index.ts';
import { Memory, remember, remembered } from '../../../src/postgres/seal/remembered.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { connectionTo, withDatabase } from '../../support/postgres.ts';

const names = async (client: Client): Promise<string[]> => (await readTables(client)).map(label);

test('what was read is given again until something moves, to every session of the same memory', async () => {
  await withDatabase(async (client, server) => {
    const memory = new Memory(true);
    remember(client, memory);
    let read = 0;
    const look = (): Promise<number[]> =>
      remembered(client, 'looks', ['pg_publication_rel'], () => Promise.resolve([(read += 1)]));
    await client.query('CREATE TABLE a (id int PRIMARY KEY); CREATE PUBLICATION p');
    expect([await look(), await look()]).toEqual([[1], [1]]);
    await client.query('INSERT INTO a VALUES (1); ANALYZE a; ALTER PUBLICATION p ADD TABLE a');
    expect(await look()).toEqual([1]);
    await withClient(connectionTo(server, 'test'), 'test', async (other) => {
      remember(other, memory);
      expect(await remembered(other, 'looks', [], () => Promise.resolve([0]))).toEqual([1]);
      for (const [moved, sql] of [
        'COMMENT ON TABLE a IS $$b$$',
        'ALTER TABLE a ADD COLUMN b int',
        'ALTER TABLE a DROP COLUMN b',
        'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1$$',
        'GRANT SELECT ON a TO PUBLIC',
        'DROP TABLE a',
      ].entries()) {
        await other.query(sql);
        expect([sql, await look(), await look()]).toEqual([sql, [moved + 2], [moved + 2]]);
      }
    });
  });
});

test('a transaction that has written reads for itself, and what it takes back was never remembered', async () => {
  await withDatabase(async (client) => {
    remember(client, new Memory(true));
    await client.query('CREATE TABLE a (id int)');
    expect(await names(client)).toEqual(['public.a']);
    await client.query('BEGIN; CREATE TABLE b (id int)');
    expect(await names(client)).toEqual(['public.a', 'public.b']);
    await client.query('ROLLBACK');
    expect(await names(client)).toEqual(['public.a']);
  });
});

test('a role with another name changes what is owned and granted, in no catalogue that a glance looks at', async () => {
  await withDatabase(async (client) => {
    remember(client, new Memory(true));
    await client.query(
      'CREATE ROLE remembered_before; CREATE TABLE a (id int); ALTER TABLE a OWNER TO remembered_before',
    );
    const before = await readSchema(client);
    await client.query('ALTER ROLE remembered_before RENAME TO remembered_after');
    const after = JSON.stringify(await readSchema(client));
    expect(JSON.stringify(before)).toContain('remembered_before');
    expect(after).not.toContain('remembered_before');
    expect(after).toContain('remembered_after');
    await rows(client, 'DROP OWNED BY remembered_after');
    await rows(client, 'DROP ROLE remembered_after');
  });
});

test('where there is little to read it is read each time: a glance would take as long', async () => {
  await withDatabase(async (client) => {
    remember(client, new Memory());
    let read = 0;
    const look = (rows: number): Promise<number[]> =>
      remembered(client, 'looks', [], () => Promise.resolve(Array.from({ length: rows }, () => (read += 1))));
    expect((await look(499))[0]).toBe(1);
    expect((await look(500))[0]).toBe(500);
    const kept = await look(500);
    expect(kept[0]).toBe(1_000);
    expect(await look(500)).toEqual(kept);
  });
});
