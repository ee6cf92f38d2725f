import { rows, type Client } from '../../postgres/client.ts';
import type { FileSetting } from './file-settings.ts';

/** By name, what a file set in its session (`SET LOCAL timezone = …`) and values are computed and read by. */
export type ValueSettings = Readonly<Record<string, string>>;

const names = [
  'TimeZone',
  'DateStyle',
  'IntervalStyle',
  'bytea_output',
  'extra_float_digits',
  'xmloption',
  'default_text_search_config',
  'lc_monetary',
  'lc_numeric',
  'lc_time',
];

/** The path and the role are kept apart; the rest is no matter of values, and the driver's. */
const apart = ['search_path', 'role', 'session_replication_role', 'client_encoding', 'client_min_messages'];

/**
 * In a session that has a fixed path: the names above, however they were set, and whatever else the file sets by a
 * statement of its own (`app.tenant`, `transform_null_equals`).
 */
export async function valueSettings(client: Client, sets: readonly FileSetting[] = []): Promise<ValueSettings> {
  const own = sets.map(({ name }) => name).filter((name) => !apart.includes(name));
  const set = await rows<{ name: string; setting: string }>(
    client,
    `SELECT name, setting FROM pg_settings WHERE source = 'session' AND name = ANY ($1)
    UNION SELECT name, current_setting(name, true) FROM unnest($2::text[]) AS name WHERE current_setting(name, true) IS NOT NULL`,
    [names, own],
  );
  return Object.fromEntries(set.map(({ name, setting }) => [name, setting]));
}
