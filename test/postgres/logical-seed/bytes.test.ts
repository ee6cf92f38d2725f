import { expect, test } from 'vitest';
import { one, rows } from '../../../src/postgres/client.ts';
import { copyRows } from '../../../src/postgres/logical-seed/copy-rows.ts';
import { planRanges, readSources } from '../../../src/postgres/logical-seed/ranges.ts';
import { withClient, withOwnSession } from '../../../src/postgres/session.ts';
import { connectionTo, withServer } from '../../support/postgres.ts';

/** A byte each of all that there are; the text of each is as it lies. */
const filled = `INSERT INTO bytes SELECT n, convert_from(decode(lpad(to_hex(n), 2, '0'), 'hex'), 'SQL_ASCII') || 'é'
  FROM generate_series(1, 255) n`;

const held = `SELECT count(*)::int AS rows, md5(string_agg(id || ' ' || encode(convert_to(v, 'SQL_ASCII'), 'hex'), ',' ORDER BY id)) AS digest FROM bytes`;

test('rows of a database in SQL_ASCII are copied byte by byte, whatever encoding they may be in', async () => {
  await withServer(async (server) => {
    const [live, candidate] = [connectionTo(server, 'a'), connectionTo(server, 'b')];
    await withClient(connectionTo(server), 'test', async (client) => {
      for (const name of ['a', 'b'])
        await client.query(
          `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'`,
        );
    });
    for (const each of [live, candidate])
      await withClient(each, 'test', (client) => client.query('CREATE TABLE bytes (id int PRIMARY KEY, v text)'));
    await withClient(live, 'test', (client) => client.query(filled));
    const progress = { onProgress: () => undefined, signal: new AbortController().signal };
    await withOwnSession(live, 'test', async (client) => {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const { id } = await one<{ id: string }>(client, 'SELECT pg_export_snapshot() AS id');
      const ranges = await planRanges(client, await readSources(client));
      expect(await copyRows(ranges, id, { live, candidate, workers: 1, busy: 100, ...progress })).toBe(255);
    });
    const [before, after] = await Promise.all(
      [live, candidate].map((each) => withClient(each, 'test', (client) => rows(client, held))),
    );
    expect(after).toEqual(before);
    expect(after).toMatchObject([{ rows: 255 }]);
  });
});
