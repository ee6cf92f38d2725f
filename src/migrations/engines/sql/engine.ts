import { readdir } from 'node:fs/promises';
import { withTransaction, type Client } from '../../../postgres/client.ts';
import type { MigrationEngine } from '../../engine.ts';
import { interruptible } from '../../interruptible.ts';
import { readSqlFiles } from './files.ts';
import { pendingFiles, type Files } from './book.ts';
import { sqlEngine } from './run.ts';
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
    if (files.length > 0) for (const change of describeChanges(before, await definitions(client))) say(change);
    refuseBroken(known, await brokenFunctions(client), say);
    return files;
  };
  return {
    name: format.name,
    files: async () => [
      ...((await hasVersioned()) ? await readSqlFiles(folder, format) : []).map(({ version, name }) => ({
        version,
        name,
      })),
      ...(await readRepeatables(folder)).map(({ name }) => ({ version: 'repeatable', name })),
    ],
    texts: async () =>
      ((await hasVersioned()) ? await readSqlFiles(folder, format) : []).flatMap(({ statements }) =>
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
      const all = await readSqlFiles(folder, format);
      return shapesInFiles(all, live && (await pendingFiles(live, files)));
    },
    data: async (live) => ((await hasVersioned()) ? ((await versioned.data?.(live)) ?? []) : []),
    rehearse: async (client, say = () => undefined, owner) => {
      const known = await brokenFunctions(client);
      if (await hasVersioned()) await rehearse?.(client, say, owner);
      await replace(client, say, known, owner);
    },
    apply: (target) =>
      interruptible(
        target,
        'Nothing of the file under way is applied, or of one that runs outside a transaction nothing but the ' +
          'statements before; the files before it are. The candidate can be resumed: migrate again.',
        async () => {
          const { client } = target;
          const keep = openLog(target.log);
          const say = (count: number, total: number, text: string): void => {
            keep(`${new Date().toISOString()} ${text}`);
            target.onProgress(count, total, text);
          };
          const known = await brokenFunctions(client);
          const done = (await hasVersioned()) ? await versioned.apply({ ...target, onProgress: say }) : [];
          target.signal.throwIfAborted();
          const files = await withTransaction(client, async () => {
            await client.query(
              `SET LOCAL lock_timeout = ${target.lockTimeout}; SET LOCAL statement_timeout = ${target.statementTimeout}`,
            );
            const replaced = await replace(client, (text) => say(0, 0, text), known, target.owner);
            await recordRepeatables(client, replaced, target.release);
            return replaced;
          });
          return [...done, ...files.map(({ name }) => ({ version: 'repeatable', name }))];
        },
      ),
  };
}
