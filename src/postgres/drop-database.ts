import type { Client } from './client.ts';
import { ident } from './quote.ts';

/** Also a template, which PostgreSQL drops only once it is none. */
export async function dropDatabase(client: Client, name: string): Promise<void> {
  const template = await client.query('SELECT FROM pg_database WHERE datname = $1 AND datistemplate', [name]);
  if (template.rowCount === 1) await client.query(`ALTER DATABASE ${ident(name)} IS_TEMPLATE false`);
  await client.query(`DROP DATABASE IF EXISTS ${ident(name)} WITH (FORCE)`);
}
