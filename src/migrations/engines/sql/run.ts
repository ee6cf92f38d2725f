import { tryStatements } from '../try-statements.ts';
import path from 'node:path';
import { readTables } from '../../../postgres/catalogue.ts';
import type { Client } from '../../../postgres/client.ts';
import { literal } from '../../../postgres/quote.ts';
import { readViewTables } from '../../../postgres/row-reads.ts';
import type { Migration, MigrationEngine, MigrationTarget } from '../../engine.ts';
import { interruptible } from '../../interruptible.ts';
import { readBackfills } from '../../backfill/files.ts';
import { rehearseBackfills } from '../../backfill/rehearse.ts';
import { planData } from '../../data/plan.ts';
import { liveTriggers } from '../../data/trigger-switches.ts';
import { openBook, pendingFiles, type Files } from './book.ts';
import type { SqlFile } from './file.ts';
import { compareVersions } from './files.ts';
import { applyFile } from './run-file.ts';
import type { WatchedTarget } from './watch.ts';

export const cutShort =
  'Nothing of the file under way is applied, or of one that does not run in one transaction nothing but the ' +
  'statements before; the files before it are. The candidate can be resumed: migrate again.';

/** Obligation of `apply`: `theirs` is a session of `withOwnerSession` for this target. */
interface VersionedEngine extends Omit<MigrationEngine, 'apply'> {
  apply(target: WatchedTarget, theirs: Client): Promise<Migration[]>;
}

/**
 * Versioned SQL files, with their history in verdigris.migration of the database they change, or in their tool's own
 * table.
 */
export function sqlEngine(files: Files): VersionedEngine {
  const { folder } = files;
  return {
    name: files.format.name,
    pending: async (client) => (await pendingFiles(client, files)).map(({ version, name }) => ({ version, name })),
    data: async (live) =>
      planData(
        await pendingFiles(live, files),
        await readTables(live),
        await readViewTables(live),
        await liveTriggers(live),
      ),
    rehearse: async (client, say, owner, looking = client) => {
      const backfills = await readBackfills(folder);
      const attempt = await tryStatements(client, say);
      for (const file of await pendingFiles(looking, files)) {
        await client.query(`SET LOCAL role = ${literal(owner ?? 'none')}`);
        await rehearseBackfills(
          client,
          backfills.splice(0, backfills.findLastIndex(({ version }) => compareVersions(version, file.version) < 0) + 1),
        );
        await attempt({ ...file, apart: !file.transactional }, ownerOf({ owner }, file));
      }
      await client.query(`SET LOCAL role = ${literal(owner ?? 'none')}`);
      await rehearseBackfills(client, backfills);
    },
    apply: async (target, theirs) => {
      const book = await openBook(target, files, theirs);
      const done: Migration[] = [];
      for (const [index, file] of book.pending.entries()) {
        target.signal.throwIfAborted();
        await target.backfillsBefore?.(file.version, theirs);
        target.onProgress(index, book.pending.length, path.basename(file.path));
        const as = ownerOf(target, file);
        const apply = (client: Client): Promise<void> =>
          applyFile({ ...target, client, as, operator: target.client }, file, book);
        await (file.superuser && theirs !== target.client
          ? interruptible(target, cutShort, () => apply(target.client))
          : apply(theirs));
        done.push({ version: file.version, name: file.name });
      }
      return done;
    },
  };
}

/** As whom a file runs: its note alone leads past the owner. */
function ownerOf({ owner }: Pick<MigrationTarget, 'owner'>, { superuser }: SqlFile): string | undefined {
  return superuser ? undefined : owner;
}
