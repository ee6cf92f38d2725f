import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { other, type Colour } from '../../src/model/colours.ts';
import { rows, type Client } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { loadScript } from '../../src/postgres/script/run.ts';
import { chinook, hasChinook } from '../migrations/engines/chinook.ts';
import { useKnex } from '../migrations/tools/tools.ts';
import { withEnvironment } from '../support/environment.ts';
import { temporaryFolder, withDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { moving } from './moving.ts';

const releases = Number(process.env['VERDIGRIS_RELEASES'] ?? 20);
const tools = ['sql', 'golang-migrate', 'knex'] as const;

/** What changes rows that both colours have, one kind a release. */
const data: Readonly<Record<number, string>> = {
  1: `UPDATE customer SET company = 'none' WHERE company IS NULL; DELETE FROM playlist_track WHERE playlist_id = 17;`,
  3: `INSERT INTO genre (name) VALUES ('Skiffle'), ('Yodel');`,
  4: `MERGE INTO media_type m USING (VALUES (1, 'MPEG'), (9, 'Ogg')) AS v (id, name) ON m.media_type_id = v.id
    WHEN MATCHED THEN UPDATE SET name = v.name WHEN NOT MATCHED THEN INSERT (media_type_id, name) VALUES (v.id, v.name);`,
  7: `WITH gone AS (DELETE FROM playlist_track WHERE track_id < 40 RETURNING playlist_id, track_id)
    INSERT INTO kept_6 (id, note) SELECT 100000 + playlist_id * 1000 + track_id, 'gone' FROM gone;`,
  9: `INSERT INTO media_type (media_type_id, name) VALUES (9, 'Vorbis'), (10, 'Flac') ON CONFLICT (media_type_id) DO UPDATE SET name = excluded.name;`,
  10: `UPDATE invoice SET billing_city = upper(c.city) FROM customer c WHERE c.customer_id = invoice.customer_id AND c.country = 'Brazil';`,
  13: `DO $$ BEGIN UPDATE track SET unit_price = unit_price + 0.01 WHERE genre_id = 1; DELETE FROM invoice_line WHERE invoice_line_id < 5; END $$;`,
  15: `CREATE FUNCTION tidy() RETURNS void LANGUAGE sql AS 'UPDATE public.employee SET title = upper(title)'; SELECT tidy();`,
  16: `CREATE TABLE best (track_id int PRIMARY KEY, sold int); INSERT INTO best SELECT track_id, count(*) FROM invoice_line GROUP BY 1;`,
  19: `DELETE FROM playlist_track p USING track t WHERE t.track_id = p.track_id AND t.genre_id = 2;`,
};

/** The migration of a release: its shape, then its rows. */
function migration(release: number): string {
  return `CREATE TABLE kept_${release} (id int PRIMARY KEY, note text);
    ALTER TABLE track ADD COLUMN extra_${release} int DEFAULT ${release};
    CREATE INDEX ON kept_${release} (note);
    ${data[release] ?? ''}`;
}

async function put(folder: string, release: number): Promise<Record<string, unknown>> {
  const tool = tools[release % 3] ?? 'sql';
  const number = String(release).padStart(6, '0');
  const write = (name: string, text: string): Promise<void> => writeFile(path.join(folder, tool, name), text);
  await mkdir(path.join(folder, tool, ...(tool === 'knex' ? ['steps'] : [])), { recursive: true });
  if (tool === 'sql') await write(`${number}_r.sql`, migration(release));
  else if (tool === 'golang-migrate') {
    await write(`${number}_r.up.sql`, migration(release));
    await write(`${number}_r.down.sql`, `DROP TABLE kept_${release};`);
  } else {
    await write(
      `steps/${number}_r.mjs`,
      `export const up = (knex) => knex.raw(${JSON.stringify(migration(release))});\nexport const down = async () => {};\n`,
    );
    await write(
      'knexfile.mjs',
      "export default { client: 'pg', connection: process.env.DATABASE_URL,\n" +
        "migrations: { directory: './steps', loadExtensions: ['.mjs'] } };\n",
    );
  }
  return {
    migrations: path.join(folder, tool),
    engine: tool === 'knex' ? { command: ['knex', 'migrate:latest'] } : tool,
  };
}

/** What a client does, of a moment: each has its number. */
const write = (n: number): string => `
  INSERT INTO invoice (invoice_id, customer_id, invoice_date, billing_city, total)
    VALUES (${10_000 + n}, ${1 + (n % 50)}, '2026-01-01', 'x', ${n});
  INSERT INTO invoice_line (invoice_line_id, invoice_id, track_id, unit_price, quantity)
    VALUES (${10_000 + n}, ${10_000 + n}, ${100 + n}, 1, 1);
  UPDATE customer SET company = ${n % 2 === 0 ? 'NULL' : `'c${n}'`} WHERE customer_id = ${1 + (n % 50)};
  INSERT INTO playlist_track VALUES (17, ${1 + n}) ON CONFLICT DO NOTHING; UPDATE track SET composer = 'w${n}' WHERE track_id = ${n};`;

const tables = (client: Client) =>
  rows<{ name: string; columns: string }>(
    client,
    `SELECT relname AS name, string_agg(quote_ident(attname), ', ' ORDER BY attname) AS columns
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname !~ '^(knex_|schema_migrations)'
      AND NOT (relname = 'genre' AND attname = 'genre_id') GROUP BY 1 ORDER BY 1`,
  );

/** Every row of every table that a colour has is as in a database that never was replicated, and no other is there. */
async function same(client: Client, reference: Client, what: string): Promise<void> {
  for (const { name, columns } of await tables(client)) {
    const query = `SELECT ${columns} FROM ${name} AS t ORDER BY t::text COLLATE "C"`;
    const of = async (from: Client): Promise<string[]> =>
      (await rows(from, query)).map((row) => JSON.stringify(row)).sort();
    expect(await of(client), `${what}: ${name}`).toEqual(await of(reference));
  }
}

test.runIf(hasChinook)(
  'Chinook: twenty releases by three tools, half of them with data statements, each rolled back: every row as where nothing is replicated',
  { timeout: 1_500_000 },
  async () => {
    const folder = await temporaryFolder();
    try {
      await mkdir(path.join(folder, 'knex'));
      await useKnex(path.join(folder, 'knex'));
      await withDatabase(async (reference) => {
        await loadScript(reference, chinook);
        const fill = async (client: Client): Promise<void> => {
          await loadScript(client, chinook);
          await client.query('GRANT ALL ON ALL TABLES IN SCHEMA public TO shop_app');
        };
        await withEnvironment({ fill }, async (test) => {
          const { declare, verbs, address } = moving(test);
          let [live, n]: [Colour, number] = ['blue', 0];
          const client = async (): Promise<void> => {
            const statements = write(++n);
            await withClient(await address(), 'software', (app) => app.query(statements));
            await reference.query(statements);
          };
          const judged = async (colour: Colour, what: string): Promise<void> =>
            test.on(colour, (there) => same(there, reference, what));
          const judgedWhole = async (colour: Colour, what: string): Promise<void> => {
            await judged(colour, what);
            expect(await test.on(colour, tables), what).toEqual(await tables(reference));
          };
          /** The other colour follows: what was written last is there, and then all of it is. */
          const followed = async (colour: Colour, what: string): Promise<void> => {
            await until(`write ${n} is on ${colour}`, () =>
              test.on(
                colour,
                async (there) =>
                  (await rows(there, 'SELECT FROM track WHERE track_id = $1 AND composer = $2', [n, `w${n}`])).length >
                  0,
              ),
            );
            await judged(colour, what);
          };
          for (let release = 1; release <= releases; release++) {
            const next = other(live);
            const [now, then] = [String(release), String(release + 1)];
            await declare(live, live === 'blue' ? now : then, live === 'blue' ? then : now, await put(folder, release));
            await verbs('seed');
            await client();
            await verbs('migrate', 'verify');
            await client();
            await verbs('switch');
            await reference.query(migration(release));
            await judgedWhole(next, `release ${then}, switched`);
            await client();
            await followed(live, `release ${now}, retained`);
            await verbs('rollback');
            await judged(live, `release ${now}, rolled back to`);
            await client();
            await followed(next, `release ${then}, rolled back from`);
            await verbs('verify', 'switch', 'retire');
            await client();
            await judgedWhole(next, `release ${then}, live`);
            live = next;
          }
        });
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
