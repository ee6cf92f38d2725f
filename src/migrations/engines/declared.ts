import type { ColourDeclaration } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { rows, type Client } from '../../postgres/client.ts';
import { isHistory } from '../../postgres/tool-history/known.ts';
import type { Migration, MigrationEngine } from '../engine.ts';
import { chooseEngine } from './choose.ts';

type Declared = Pick<ColourDeclaration, 'migrations' | 'engine'> | undefined;

/**
 * What the declared folder holds, judged without a server: missing, empty, names, duplicates, syntax, forbidden statements. Empty
 * where the engine's tool alone reads its files.
 */
export async function declaredMigrations(colour: Declared): Promise<readonly Migration[]> {
  return (await (await engineOf(colour))?.files?.()) ?? [];
}

/**
 * The folder, and whether it begins where the live colour is: what a tool has brought there would run again from the first file.
 * @throws VerdigrisError `migrations-of-tool`, and what `declaredMigrations` throws.
 */
export async function judgeBeforeSeed(live: Client, colour: Declared): Promise<void> {
  const engine = await engineOf(colour);
  await engine?.files?.();
  if (engine?.name !== 'sql' || colour?.engine !== undefined) return;
  const histories = await rows<{ name: string }>(
    live,
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND ${isHistory} ORDER BY 1`,
  );
  if (histories.length === 0 || (await hasBegun(live))) return;
  throw new VerdigrisError('migrations-of-tool', {
    seen:
      `${histories.map(({ name }) => name).join(', ')} says that a migration tool (golang-migrate, sqlx, ` +
      'Diesel or another) has run files on this database; engine sql has a history of its own, which is empty, ' +
      'and would run the way up (.up.sql, up.sql) of every file again.',
    required: 'one tool, whose history says what has run.',
    next: 'declare that tool: `engine: { command: […] }`; or declare `engine: sql`, where the folder has only what is to come.',
    facts: { tables: histories.map(({ name }) => name) },
  });
}

async function engineOf(colour: Declared): Promise<MigrationEngine | undefined> {
  return colour?.migrations === undefined ? undefined : chooseEngine(colour.migrations, colour.engine);
}

/** Whether engine `sql` has run here before: then it goes on with its own history. */
async function hasBegun(live: Client): Promise<boolean> {
  const [table] = await rows(live, "SELECT WHERE to_regclass('verdigris.migration') IS NOT NULL");
  return table !== undefined && (await rows(live, 'SELECT FROM verdigris.migration LIMIT 1')).length > 0;
}
