import { rows, type Client } from './client.ts';
import { copyNotWhole } from '../model/failures.ts';

/**
 * Throws `copy-not-whole` where a relation of this database has no file: a restore that left one out is not noticed
 * before something reads it. Looks at the first segment of each; other forks may rightly be missing.
 */
export async function requireFiles(client: Client): Promise<void> {
  const missing = await rows<{ name: string; path: string }>(
    client,
    `SELECT format('%s (%s)', c.oid::pg_catalog.regclass, pg_catalog.pg_relation_filepath(c.oid)) AS name
    FROM pg_catalog.pg_class c
    WHERE c.relpersistence = 'p' AND pg_catalog.pg_relation_filepath(c.oid) IS NOT NULL
      AND (pg_catalog.pg_stat_file(pg_catalog.pg_relation_filepath(c.oid), true)).size IS NULL
    ORDER BY 1`,
  );
  if (missing.length === 0) return;
  const named = missing.map(({ name }) => name);
  throw copyNotWhole(
    `The restored copy lacks the files of ${named.slice(0, 6).join(', ')}${named.length > 6 ? ` and ${named.length - 6} more` : ''}.`,
    'compare a restored volume with its original before you rely on this storage.',
    { files: named },
  );
}
