import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { one, type Client } from '../../../src/postgres/client.ts';

/** The Chinook sample database, which stands beside the clone and not in it. */
export const chinook = process.env['VERDIGRIS_TEST_CHINOOK'] ?? '../shared/data/chinook.sql';
export const hasChinook = existsSync(chinook) || process.env['CI'] !== undefined;
/** Functions, procedures, views and triggers on it, a file each, of which many need each other. */
export const codeFolder = new URL('chinook/', import.meta.url).pathname;
/** In the order in which they need each other. */
const files = [
  'catalogue/track_length',
  'catalogue/artist_name',
  'people/full_name',
  'sales/invoice_total',
  'catalogue/album_price',
  'catalogue/album_length',
  'catalogue/artist',
  'catalogue/genre',
  'catalogue/playlist',
  'people/employee',
  'sales/customer',
  'sales/track_sales',
  'sales/best_sellers',
  'sales/revenue',
  'sales/keep_total',
  'audit/note_change',
  'audit/attach',
];
export const changeLog =
  'CREATE TABLE change_log (change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, relation text NOT NULL, at timestamptz NOT NULL);\n';
/** What `code` makes: 20 functions and procedures, 13 views, 5 triggers. */
export const codeCount = 38;

/** All of it as one script. */
export async function code(): Promise<string> {
  return (
    changeLog +
    (await Promise.all(files.map((name) => readFile(path.join(codeFolder, `${name}.sql`), 'utf8')))).join('\n')
  );
}

/** Functions, procedures, views and triggers of the user's. */
export async function objects(client: Client): Promise<number> {
  const { count } = await one<{ count: number }>(
    client,
    `SELECT (
    (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace) + (SELECT count(*) FROM pg_class
    WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace)
    + (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgname NOT LIKE 'require_grant%'))::int AS count`,
  );
  return count;
}

/** What the code says of the data; fails where any of it is missing. */
export const asked =
  'SELECT count(*)::int AS n, top_seller() IS NOT NULL AS sold, customer_grade(6) AS grade FROM album_facts';
export const answered = [{ n: 347, sold: true, grade: 'gold' }];
