import type { ColourDeclaration } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Client } from '../../postgres/client.ts';
import type { MigrationEngine } from '../engine.ts';
import { commandEngine } from './command.ts';
import { flywayEngine } from './flyway.ts';
import { historyTable } from './history.ts';
import { liquibaseEngine } from './liquibase.ts';
import { findHistory } from './native/find.ts';
import { formatOf, isNative } from './native/format.ts';
import { nodePgMigrateEngine } from './node-pg-migrate.ts';
import { prismaEngine } from './prisma.ts';
import { recognise, type EngineName } from './recognise.ts';
import { hasOwnHistory, type Files } from './sql/book.ts';
import { sqlFilesEngine } from './sql/engine.ts';

/** Tools that are run as a whole, and the tables that they keep. */
const tools = {
  flyway: { make: flywayEngine, history: 'flyway_schema_history' },
  liquibase: { make: liquibaseEngine, history: 'databasechangelog' },
  prisma: { make: prismaEngine, history: '_prisma_migrations' },
  'node-pg-migrate': { make: nodePgMigrateEngine, history: 'pgmigrations' },
};

type Declared = ColourDeclaration['engine'];

/**
 * The engine that is declared, else the one whose files are in the folder, else the one of those that has written its
 * history into the database that `client` is connected to; plain SQL where neither says anything.
 * @throws VerdigrisError `engine-unclear` where several fit, and what `recognise` throws.
 */
export async function chooseEngine(folder: string, declared: Declared, client: Client): Promise<MigrationEngine> {
  if (typeof declared === 'object')
    return 'command' in declared ? commandEngine(folder, declared.command) : make(declared.tool, folder, declared);
  return make(declared ?? (await detect(folder, client)), folder);
}

/**
 * An engine that reads this folder as its own will, where no database is asked: for what the files are by themselves.
 */
export async function readingEngine(folder: string, declared: Declared): Promise<MigrationEngine> {
  if (typeof declared === 'object')
    return 'command' in declared ? commandEngine(folder, declared.command) : make(declared.tool, folder, declared);
  return make(declared ?? (await recognise(folder))[0] ?? 'sql', folder);
}

function make(name: EngineName, folder: string, parts: Pick<Files, 'baseline' | 'history'> = {}): MigrationEngine {
  return isNative(name) ? sqlFilesEngine({ ...parts, folder, format: formatOf(name) }) : tools[name].make(folder);
}

async function detect(folder: string, client: Client): Promise<EngineName> {
  const fitting = await recognise(folder);
  const [only = 'sql', ...others] = fitting;
  if (others.length === 0) return only;
  const begun: EngineName[] = [];
  for (const name of fitting) if (name !== 'sql' && (await hasRun(client, name))) begun.push(name);
  // What Verdigris has kept itself so far goes on, also in a folder that was always read as plain SQL.
  const own = await hasOwnHistory(client);
  if (own && (begun.length === 0 || fitting.includes('sql'))) return 'sql';
  if (begun.length === 0 && fitting.includes('sql')) return 'sql';
  const [one, ...more] = begun;
  if (one && more.length === 0) return one;
  throw new VerdigrisError('engine-unclear', {
    seen:
      `The files of ${folder} can be those of ${fitting.join(' or ')}, and the database ` +
      `${begun.length === 0 ? 'has no history of any of them' : `has histories of ${begun.join(' and ')}`}.`,
    required: 'one engine, whose history says what has run.',
    next: `declare it: \`engine: ${fitting[0]}\`.`,
    facts: { engines: fitting, begun },
  });
}

async function hasRun(client: Client, name: EngineName): Promise<boolean> {
  if (!isNative(name)) return (await historyTable(client, tools[name].history)) !== undefined;
  const format = formatOf(name);
  return format.history !== undefined && (await findHistory(client, format, format.history)) !== undefined;
}
