import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from '../postgres/client.ts';

/**
 * Roles that the sample's schema grants to and that whoever provisions creates first: `app` reads and writes and owns
 * nothing, `reader` reads.
 */
export const sampleRoles = { app: 'shop_app', reader: 'shop_reader' } as const;

/** Release 1, as a plain SQL file. */
export const sampleSchemaFile = fileURLToPath(new URL('schema.sql', import.meta.url));

/** Folder of release 2: versioned SQL files that only expand, so that software of release 1 works before and after. */
export const sampleMigrations = fileURLToPath(new URL('migrations', import.meta.url));

/** Makes the schema `shop` of release 1, empty. The connected role owns it. */
export async function createSampleSchema(client: Client): Promise<void> {
  // One text is one transaction: half a schema is never left.
  await client.query(await readFile(sampleSchemaFile, 'utf8'));
}
