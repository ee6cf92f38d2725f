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

/** In a session that has a fixed path. Names of the file's own (`app.tenant`) no view lists: they are in `sets`. */
export async function valueSettings(client: Client, sets: readonly FileSetting[] = []): Promise<ValueSettings> {
  const own = sets.map(({ name }) => name).filter((name) => name.includes('.'));
  const set = await rows<{ name: string; setting: string }>(
    client,
    `SELECT name, setting FROM pg_settings WHERE source = 'session' AND name = ANY ($1)
    UNION SELECT name, current_setting(name, true) FROM unnest($2::text[]) AS name WHERE current_setting(name, true) IS NOT NULL`,
    [names, own],
  );
  return Object.fromEntries(set.map(({ name, setting }) => [name, setting]));
}
