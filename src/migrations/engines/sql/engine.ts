import { readdir } from 'node:fs/promises';
import { label, readTables } from '../../../postgres/catalogue.ts';
import { asLogin, withTransaction, type Client } from '../../../postgres/client.ts';
import { refuseRepeatableWrites } from '../../data/plan.ts';
import { repeatableWrites } from '../../data/refusals.ts';
import type { MigrationEngine } from '../../engine.ts';
import { interruptible } from '../../interruptible.ts';
import { listSqlFiles } from './files.ts';
import { pendingFiles, type Files } from './book.ts';
import { cutShort, sqlEngine } from './run.ts';
import { literal } from '../../../postgres/quote.ts';
import { readViewTables } from '../../../postgres/row-reads.ts';
import { countWrites } from '../../../postgres/row-writes.ts';
import { withOwnerSession } from '../../owner-session.ts';
import { openLog } from '../log.ts';
import { applyRepeatables } from '../repeatable/apply.ts';
import { brokenFunctions, refuseBroken } from '../repeatable/compile.ts';
import { definitions, describeChanges } from '../repeatable/definitions.ts';
import { pendingRepeatables, readRepeatables, recordRepeatables } from '../repeatable/history.ts';

/** Numbered files of SQL that run once, then the files of `repeatable/`, which run whenever they were changed. */
export function sqlFilesEngine(files: Files): MigrationEngine {
  const { folder, format } = files;
  const versioned = sqlEngine(files);
  const rehearse = versioned.rehearse;
  const hasVersioned = async (): Promise<boolean> => {
    const names: string[] = await readdir(folder).catch(() => []);
    return !names.includes('repeatable') || (await format.sources(folder)).length > 0;
  };
  /**
   * Inside a transaction: all that changed, the difference that they make, and the proof that nothing calls into the
   * void.
   */
  const replace = async (
    client: Client,
    say: (text: string) => void,
    known: ReadonlyMap<string, string>,
    owner: string | undefined,
  ): Promise<Awaited<ReturnType<typeof pendingRepeatables>>> => {
    const files = await pendingRepeatables(client, folder);
    const before = files.length > 0 ? await definitions(client) : new Map<string, string>();
    await applyRepeatables(client, files, owner);
    await client.query(`SET LOCAL role = ${literal(owner ?? 'none')}`);
    if (files.length > 0) for (const change of describeChanges(before, await definitions(client))) say(change);
    refuseBroken(known, await brokenFunctions(client), say);
    return files;
  };
  return {
    name: format.name,
    files: async () => [
      ...((await hasVersioned()) ? await listSqlFiles(folder, format) : []).map(({ version, name }) => ({
        version,
        name,
      })),
      ...(await readRepeatables(folder)).map(({ name }) => ({ version: 'repeatable', name })),
    ],
    texts: async () =>
      ((await hasVersioned()) ? await listSqlFiles(folder, format) : []).flatMap(({ statements }) =>
        statements.map(({ text }) => text),
      ),
    pending: async (client) => [
      ...((await hasVersioned()) ? await versioned.pending(client) : []),
      ...(await pendingRepeatables(client, folder)).map(({ name }) => ({ version: 'repeatable', name })),
    ],
    shapes: async (live) => {
      if (!(await hasVersioned())) return [];
      // The linter is loaded for a plan alone.
      const { shapesInFiles } = await import('../../shapes/in-files.ts');
      const all = await listSqlFiles(folder, format);
      return shapesInFiles(all, live && (await pendingFiles(live, files)));
    },
    foresee: async (live, running) => {
      const pending = (await hasVersioned()) ? await pendingFiles(live, files) : [];
      // The linter's parts are loaded where there is something to read.
      const { foresee } = await import('../../foreseen/judge.ts');
      return foresee(live, pending, running);
    },
    data: async (live) => {
      refuseRepeatableWrites(
        await pendingRepeatables(live, folder),
        await readTables(live),
        await readViewTables(live),
      );
      return (await hasVersioned()) ? ((await versioned.data?.(live)) ?? []) : [];
    },
    superuser: async (client) =>
      [
        ...((await hasVersioned()) ? await pendingFiles(client, files) : []),
        ...(await pendingRepeatables(client, folder)),
      ].some((file) => file.superuser),
    rehearse: async (client, say = () => undefined, owner, looking = client) => {
      const known = await brokenFunctions(client);
      if (await hasVersioned()) await rehearse?.(client, say, owner, looking);
      await replace(client, say, known, owner);
    },
    apply: (target) =>
      // Backfills run in it too.
      withOwnerSession({ ...target, quietly: true }, (theirs) =>
        interruptible({ ...target, client: theirs }, cutShort, async () => {
          const keep = openLog(target.log);
          const say = (count: number, total: number, text: string): void => {
            keep(`${new Date().toISOString()} ${text}`);
            target.onProgress(count, total, text);
          };
          const known = await brokenFunctions(theirs);
          const done = (await hasVersioned()) ? await versioned.apply({ ...target, onProgress: say }, theirs) : [];
          target.signal.throwIfAborted();
          // They find their order together, in one transaction: where one asks for a superuser, all run in his session.
          const noted = (await pendingRepeatables(target.client, folder)).some(({ superuser }) => superuser);
          const client = noted ? target.client : theirs;
          const files = await withTransaction(client, async () => {
            await client.query(
              `SET LOCAL lock_timeout = ${target.lockTimeout}; SET LOCAL statement_timeout = ${target.statementTimeout}`,
            );
            const { result: replaced, writes } = await countWrites(client, () =>
              replace(client, (text) => say(0, 0, text), known, target.owner),
            );
            const shared = writes.filter(({ table }) => target.data?.live.some((each) => label(each) === table));
            if (shared.length > 0)
              throw repeatableWrites(
                `One of ${replaced.map(({ name }) => `repeatable/${name}`).join(', ')}`,
                shared.map(({ table }) => table),
              );
            await asLogin(client, () => recordRepeatables(client, replaced, target.release));
            return replaced;
          });
          return [...done, ...files.map(({ name }) => ({ version: 'repeatable', name }))];
        }),
      ),
  };
}
