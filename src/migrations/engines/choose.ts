import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ColourDeclaration } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { MigrationEngine } from '../engine.ts';
import { commandEngine } from './command.ts';
import { flywayEngine } from './flyway.ts';
import { changelogName, liquibaseEngine } from './liquibase.ts';
import { nodePgMigrateEngine } from './node-pg-migrate.ts';
import { prismaEngine } from './prisma.ts';
import { sqlFilesEngine } from './sql/engine.ts';

const engines = {
  sql: sqlFilesEngine,
  flyway: flywayEngine,
  liquibase: liquibaseEngine,
  prisma: prismaEngine,
  'node-pg-migrate': nodePgMigrateEngine,
};
export type EngineName = keyof typeof engines;

/** The engine that is declared, else the one whose files are in the folder; plain SQL where the folder says nothing. */
export async function chooseEngine(folder: string, declared: ColourDeclaration['engine']): Promise<MigrationEngine> {
  if (typeof declared === 'object') return commandEngine(folder, declared.command);
  return engines[declared ?? (await detectEngine(folder))](folder);
}

/** @throws VerdigrisError `migrations-two-engines` where files of several are in one folder. */
export async function detectEngine(folder: string): Promise<EngineName> {
  const found = new Map<EngineName, string>();
  // One that is missing is the plain SQL engine's to refuse, in its words.
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const engine = entry.isDirectory()
      ? await ofFolder(path.join(folder, entry.name))
      : await ofFile(path.join(folder, entry.name));
    if (engine !== undefined && !found.has(engine)) found.set(engine, entry.name);
  }
  // An SQL file with a number is all of these engines' own: it only counts where nothing else was found.
  if (found.has('sql') && found.size === 2 && found.has('node-pg-migrate')) found.delete('sql');
  if (found.size > 1) {
    throw new VerdigrisError('migrations-two-engines', {
      seen: `${folder} has files of several engines: ${[...found].map(([engine, file]) => `${file} (${engine})`).join(', ')}.`,
      required: 'one engine, whose history says what has run.',
      next: 'move the files of one of them to another folder, or declare `engine` of the colour.',
      facts: { engines: [...found.keys()] },
    });
  }
  return [...found.keys()][0] ?? 'sql';
}

async function ofFile(file: string): Promise<EngineName | undefined> {
  const name = path.basename(file);
  if (/^(V\d[\d._]*|[UB]\d[\d._]*|R)__.+\.(sql|java)$/.test(name) || /^flyway\.(toml|conf)$/.test(name))
    return 'flyway';
  if (name === 'liquibase.properties' || changelogName.test(name)) return 'liquibase';
  if (name === 'schema.prisma' || name === 'migration_lock.toml' || /^prisma\.config\.\w+$/.test(name)) return 'prisma';
  if (/^\d+[_-].+\.[cm]?[jt]s$/.test(name)) return 'node-pg-migrate';
  if (!name.endsWith('.sql')) return undefined;
  const text = await readFile(file, 'latin1');
  if (/^\s*--\s*liquibase formatted sql/i.test(text)) return 'liquibase';
  if (/^\s*--\s*up migration/im.test(text)) return 'node-pg-migrate';
  return /^\d/.test(name) ? 'sql' : undefined;
}

async function ofFolder(folder: string): Promise<EngineName | undefined> {
  const names = await readdir(folder);
  if (names.includes('migration.sql') || names.includes('schema.prisma')) return 'prisma';
  if (names.includes('up.sql') && /^\d/.test(path.basename(folder))) return 'sql';
  return path.basename(folder) === 'repeatable' && names.length > 0 ? 'sql' : undefined;
}
