import { rows, type Client } from '../../postgres/client.ts';

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

/** In a session that has a fixed path. */
export async function valueSettings(client: Client): Promise<ValueSettings> {
  const set = await rows<{ name: string; setting: string }>(
    client,
    "SELECT name, setting FROM pg_settings WHERE source = 'session' AND name = ANY ($1)",
    [names],
  );
  return Object.fromEntries(set.map(({ name, setting }) => [name, setting]));
}
