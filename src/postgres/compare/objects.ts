import { count } from '../../model/count.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { ignoredSchemas } from '../catalogue.ts';
import { rows, type Client } from '../client.ts';
import { ident } from '../quote.ts';
import { brokenForeignKeys, type ForeignKeyOptions } from './foreign-keys.ts';

/**
 * Indexes that are not valid, constraints that were never validated, and foreign keys that rows on the candidate break.
 */
export async function compareObjects(candidate: Client, options: ForeignKeyOptions = {}): Promise<Finding[]> {
  return [
    ...(await invalidIndexes(candidate)),
    ...(await unvalidatedConstraints(candidate)),
    ...(await brokenForeignKeys(candidate, options)),
  ];
}

/**
 * What CREATE INDEX CONCURRENTLY leaves behind where it fails, and the roots of partitioned indexes that lack a part.
 */
export async function invalidIndexes(client: Client): Promise<Finding[]> {
  const found = await rows<{ schema: string; name: string; table: string; unique: boolean; concurrently: boolean }>(
    client,
    `
    SELECT n.nspname AS schema, c.relname AS name, t.relname AS "table", i.indisunique AS unique, c.relkind = 'i' AS concurrently
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class t ON t.oid = i.indrelid
    WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) AND n.nspname NOT IN (${ignoredSchemas})
    ORDER BY 1, 2`,
  );
  if (found.length === 0) return [];
  return [
    finding('index-invalid', {
      grade: found.some(({ unique }) => unique) ? 'refuse' : 'warn',
      title: `${count(found.length, 'index is', 'indexes are')} not valid on the candidate`,
      objects: found.map(({ schema, name, table }) => `${schema}.${name} (${table})`),
      reason: 'Queries do not use it, and a unique one allows duplicates.',
      fix: found
        .map(
          ({ schema, name, concurrently }) =>
            `REINDEX INDEX ${concurrently ? 'CONCURRENTLY ' : ''}${ident(schema, name)};`,
        )
        .join(' '),
    }),
  ];
}

/** Constraints made NOT VALID. PostgreSQL checks new rows against them, but apply brings rows in unchecked. */
export async function unvalidatedConstraints(client: Client): Promise<Finding[]> {
  const found = await rows<{ schema: string; table: string; name: string }>(
    client,
    `
    SELECT n.nspname AS schema, t.relname AS "table", c.conname AS name
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE NOT c.convalidated AND n.nspname NOT IN (${ignoredSchemas}) ORDER BY 1, 2, 3`,
  );
  if (found.length === 0) return [];
  return [
    finding('constraint-not-validated', {
      title: `${count(found.length, 'constraint is', 'constraints are')} not validated on the candidate`,
      objects: found.map(({ schema, table, name }) => `${schema}.${table}.${name}`),
      reason: 'Rows from before the constraint may break it.',
      fix: found
        .map(({ schema, table, name }) => `ALTER TABLE ${ident(schema, table)} VALIDATE CONSTRAINT ${ident(name)};`)
        .join(' '),
    }),
  ];
}
