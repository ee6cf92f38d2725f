import type { ColourDeclaration } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { rows, type Client } from '../../postgres/client.ts';
import { isHistory } from '../../postgres/tool-history/known.ts';
import type { Migration } from '../engine.ts';
import { chooseEngine, readingEngine } from './choose.ts';
import { hasOwnHistory } from './sql/book.ts';

type Declared = Pick<ColourDeclaration, 'migrations' | 'engine'> | undefined;

/**
 * What the declared folder holds, judged without a server: missing, empty, names, duplicates. What is in a file is judged
 * where that is to run (`pending`). Empty where the engine's tool alone reads its files.
 */
export async function declaredMigrations(colour: Declared): Promise<readonly Migration[]> {
  if (colour?.migrations === undefined) return [];
  return (await (await readingEngine(colour.migrations, colour.engine)).files?.()) ?? [];
}

/** The tool that alone reads the declared folder's files; undefined where Verdigris does, or there is none. */
export async function toolOfFiles(colour: Declared): Promise<string | undefined> {
  if (colour?.migrations === undefined) return undefined;
  const { name, files } = await readingEngine(colour.migrations, colour.engine);
  return files ? undefined : name;
}

/**
 * The folder, and what of it has run on the live colour: files that were changed, are late or half done, and a history
 * that is another tool's, whose files would run again from the first.
 * @throws VerdigrisError `migrations-of-tool`, and what `chooseEngine` and `pending` throw.
 */
export async function judgeBeforeSeed(live: Client, colour: Declared): Promise<void> {
  if (colour?.migrations === undefined) return;
  const engine = await chooseEngine(colour.migrations, colour.engine, live);
  if (!engine.files) return;
  await engine.files();
  await engine.pending(live);
  await engine.data?.(live);
  if (engine.name !== 'sql' || colour.engine !== undefined || (await hasOwnHistory(live))) return;
  const histories = await rows<{ name: string }>(
    live,
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND ${isHistory} ORDER BY 1`,
  );
  if (histories.length === 0) return;
  throw new VerdigrisError('migrations-of-tool', {
    seen:
      `${histories.map(({ name }) => name).join(', ')} says that a migration tool has run files on this database, ` +
      'and these are files of none that it could be; engine sql has a history of its own, which is empty, and would run every file again.',
    required: 'one tool, whose history says what has run.',
    next: 'declare that tool by its name, or as `engine: { command: […] }`; or declare `engine: sql`, where the folder has only what is to come.',
    facts: { tables: histories.map(({ name }) => name) },
  });
}
