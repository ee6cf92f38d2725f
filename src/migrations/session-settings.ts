import { rows, type Client } from '../postgres/client.ts';

/**
 * What a session is set to now, and a way back there: what a file sets ends with it, whatever ran before it and whether a
 * run was resumed. Names of a file's own (`app.tenant`) go too; the role is whoever runs the file's to set.
 */
export async function settingsNow(client: Client): Promise<() => Promise<void>> {
  const own = await rows<{ name: string; setting: string }>(
    client,
    "SELECT name, setting FROM pg_catalog.pg_settings WHERE source OPERATOR(pg_catalog.=) 'session'",
  );
  return async () => {
    await client.query('RESET ALL');
    await client.query(
      // One that has its value already may take a right to set.
      `SELECT pg_catalog.set_config(name, setting, false) FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS own (name, setting)
      WHERE pg_catalog.current_setting(name) OPERATOR(pg_catalog.<>) setting`,
      [own.map(({ name }) => name), own.map(({ setting }) => setting)],
    );
  };
}
