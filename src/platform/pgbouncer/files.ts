import { readFile, realpath } from 'node:fs/promises';
import { replaceFile } from '../../machine/durable.ts';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { pgbouncerEntry } from './entries.ts';
import type { PgBouncer } from './pgbouncers.ts';

/** Changes the configuration of each PgBouncer; one file that several share is changed once. */
export async function changeFiles(all: readonly PgBouncer[], change: (text: string) => string): Promise<void> {
  await Promise.all(
    [...new Set(all.map(({ config }) => config))].map(async (config) => {
      try {
        // Where it is a link, what it leads to is changed, and the link stays.
        const file = await realpath(config);
        const text = await readFile(file, 'utf8');
        const changed = change(text);
        if (changed !== text) await replaceFile(file, changed);
      } catch (cause) {
        throw unusable(config, `cannot be changed: ${describe(cause)}`, cause);
      }
    }),
  );
}

/** @throws VerdigrisError `pgbouncer-config` where a file lacks an entry that clients come by */
export async function requireEntries(all: readonly PgBouncer[], databases: readonly string[]): Promise<void> {
  for (const { config } of all) {
    const text = await readFile(config, 'utf8').catch((cause: unknown) => {
      throw unusable(config, `cannot be read: ${describe(cause)}`, cause);
    });
    const missing = databases.filter((database) => pgbouncerEntry(text, database) === undefined);
    if (missing.length > 0) throw unusable(config, `has no entry of its own for ${missing.join(', ')} in [databases]`);
  }
}

function unusable(config: string, why: string, cause?: unknown): VerdigrisError {
  return new VerdigrisError('pgbouncer-config', {
    seen: `PgBouncer's configuration ${config} ${why}.`,
    required:
      'a file that this user may replace, with an entry for each database that clients name; `*` cannot be moved.',
    next: 'declare the file that has the entries (traffic.pgbouncers.config, traffic.databases) and let Verdigris write it and its folder.',
    facts: { config },
    cause,
  });
}
