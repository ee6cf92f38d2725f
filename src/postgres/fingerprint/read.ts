import { type QueryResult } from 'pg';
import type { Client } from '../client.ts';
import { remembered } from '../seal/remembered.ts';
import { attachedParts } from './attached.ts';
import { codeParts } from './code.ts';
import { databaseParts } from './database.ts';
import { grantParts } from './grants.ts';
import type { SchemaObject } from './object.ts';
import { relationParts } from './relations.ts';
import { ofExtensions } from './scope.ts';
import { typeParts } from './types.ts';

/**
 * Settings that the text of a definition depends on: pg_get_…def() qualifies by search_path, and prints constants (a
 * partition's bounds, a default) by the others.
 */
const pinned: Readonly<Record<string, string>> = {
  search_path: 'pg_catalog, pg_temp',
  quote_all_identifiers: 'off',
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
};

/** One statement, so that the catalogues are read with one snapshot. */
const parts = [...databaseParts, ...typeParts, ...relationParts, ...attachedParts, ...codeParts, ...grantParts];
const everything = parts.join('\nUNION ALL\n');

/** What extensions brought, and what hangs on it: a user's index on a table of one. */
const brought = `SELECT 'extension object' AS kind, m.kind || ' ' || m.identity || ' of ' || quote_ident(m.extension),
  m.definition FROM (${parts.flatMap(ofExtensions).join('\nUNION ALL\n')}) AS m(extension, kind, identity, definition)
  WHERE m.kind <> 'function'`;

const pin = Object.entries(pinned)
  .map(
    ([name, value]) =>
      `pg_catalog.set_config('verdigris.${name}', pg_catalog.current_setting('${name}'), true), pg_catalog.set_config('${name}', '${value}', true)`,
  )
  .join(', ');
const unpin = Object.keys(pinned)
  .map((name) => `pg_catalog.set_config('${name}', pg_catalog.current_setting('verdigris.${name}'), true)`)
  .join(', ');

/**
 * Every object of the user's schemas in a fixed order. One round trip; works inside a transaction and outside of one:
 * the three statements are one implicit transaction, and within an explicit one the settings are put back. The
 * pg_get_…def() functions look at the catalogues as they are now, not as the snapshot has them, so DDL at the same
 * instant can make one definition newer than the rest; the next reading then differs, which is what a gate wants to
 * know.
 */
export function readSchema(client: Client): Promise<SchemaObject[]> {
  return remembered(client, 'schema', beyond, () => read(client, everything));
}

/**
 * Members of extensions but functions, whose text others read: an extension and its version stand for them, not for
 * what somebody altered of them since.
 */
export function readBrought(client: Client): Promise<SchemaObject[]> {
  return remembered(client, 'brought', beyond, () => read(client, brought));
}

const beyond = ['pg_subscription', 'pg_subscription_rel'];

async function read(client: Client, text: string): Promise<SchemaObject[]> {
  const results = (await client.query(
    `SELECT ${pin}; SELECT u.kind, u.identity, coalesce(u.definition, '') AS definition FROM (${text}) AS u(kind, identity, definition); SELECT ${unpin}`,
  )) as unknown as QueryResult<SchemaObject>[];
  return (results[1]?.rows ?? []).sort(byKindAndIdentity);
}

/**
 * By code unit, so that no locale has a say. Functions and their like are distinguished by their arguments, which
 * identity holds.
 */
export function byKindAndIdentity(a: SchemaObject, b: SchemaObject): number {
  return compare(a.kind, b.kind) || compare(a.identity, b.identity) || compare(a.definition, b.definition);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
