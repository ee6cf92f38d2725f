import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { VerdigrisError } from '../../model/errors.ts';
import { upPart } from '../up-part.ts';
import { changelogName } from './liquibase.ts';
import type { NativeTool } from './native/tool-history.ts';

export type EngineName = 'sql' | NativeTool | 'flyway' | 'liquibase' | 'prisma' | 'node-pg-migrate';

/** What one entry of a folder can be a part of; none where no tool that Verdigris runs by itself has such files. */
interface Sign {
  readonly entry: string;
  readonly fits: readonly EngineName[];
}

const pairs: readonly EngineName[] = ['golang-migrate', 'sqlx'];

/** Files by their names. The first that matches counts. */
const byName: readonly (readonly [RegExp, readonly EngineName[]])[] = [
  [/^flyway\.(toml|conf)$/, ['flyway']],
  // A repeatable one, a baseline, code, and a version that is no single number.
  [/^(R__.+|B\d[\d._]*__.+|V\d+[._]\d[\d._]*__.+)\.(sql|java)$|^V\d.*__.+\.java$/, ['flyway']],
  [/^[VU]\d+__\w+\.sql$/, ['flyway', 'refinery']],
  [/^[VU]\d[\d._]*__.+\.sql$/, ['flyway']],
  [/^refinery\.toml$/, ['refinery']],
  [/^liquibase\.properties$/, ['liquibase']],
  [changelogName, ['liquibase']],
  [/^(schema\.prisma|migration_lock\.toml|prisma\.config\.\w+)$/, ['prisma']],
  [/^atlas\.sum$/, ['atlas']],
  [/^tern\.conf$/, ['tern']],
  [/^diesel\.toml$/, ['diesel']],
  [/^\d.*\.(up|down)\.sql$/i, pairs],
  // Postgrator's.
  [/^\d.*\.(do|undo)\.sql$/i, ['sql']],
];

/** Files by what is written in them: markers of a way up and a way back. */
const byMarker: Readonly<Record<string, readonly EngineName[]>> = {
  goose: ['goose'],
  dbmate: ['dbmate'],
  'sql-migrate': ['sql-migrate'],
  tern: ['tern'],
  'node-pg-migrate': ['node-pg-migrate'],
};

/**
 * A numbered file without any marker. Which it is, a history in the database says; where there is none, it is plain
 * SQL.
 */
const unmarked: readonly EngineName[] = ['sql', 'sqlx', 'tern', 'supabase', 'drizzle', 'atlas', 'node-pg-migrate'];

/**
 * The engines whose folder this can be: those that every file and folder of it fits. Empty where it has no file of any.
 * @throws VerdigrisError `migrations-two-engines`, `migrations-code`.
 */
export async function recognise(folder: string): Promise<readonly EngineName[]> {
  const signs: Sign[] = [];
  // One that is missing is the plain SQL engine's to refuse, in its words.
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const place = path.join(folder, entry.name);
    // A link that leads nowhere is still one here, and said when its file is read. A pipe might never end.
    const kind = entry.isSymbolicLink() ? await stat(place).catch(() => entry) : entry;
    const fits = kind.isDirectory()
      ? await ofFolder(place)
      : kind.isFile() || kind.isSymbolicLink()
        ? await ofFile(place)
        : undefined;
    if (fits) signs.push({ entry: entry.name, fits });
  }
  const [first] = signs;
  // Of pairs and single files in one folder golang-migrate leaves out the single ones, and sqlx forbids them.
  const mixed = signs.some(({ fits }) => fits === pairs) && signs.some(({ fits }) => fits === unmarked);
  const fitting = mixed ? [] : (first?.fits ?? []).filter((name) => signs.every(({ fits }) => fits.includes(name)));
  if (first && fitting.length === 0) throw refused(folder, signs);
  return fitting;
}

async function ofFile(file: string): Promise<Sign['fits'] | undefined> {
  const name = path.basename(file);
  const known = byName.find(([pattern]) => pattern.test(name));
  if (known) return known[1];
  if (/^\d+[_-].+\.([cm]?[jt]s|go)$/.test(name) && !/(\.d\.ts|_test\.go)$/.test(name)) return ofCode(file);
  if (!/\.sql$/i.test(name)) return undefined;
  const text = await readFile(file, 'latin1').catch(() => '');
  if (/^\s*--\s*liquibase formatted sql/i.test(text)) return ['liquibase'];
  if (/^\s*--\s*up migration/im.test(text)) return ['node-pg-migrate'];
  if (!/^\d/.test(name)) return undefined;
  const { tool } = upPart(text);
  return tool === undefined ? unmarked : (byMarker[tool] ?? ['sql']);
}

async function ofCode(file: string): Promise<Sign['fits']> {
  if (file.endsWith('.go')) return [];
  const text = await readFile(file, 'utf8');
  return text.trim() === '' || /\bpgm\b|node-pg-migrate|MigrationBuilder/.test(text) ? ['node-pg-migrate'] : [];
}

async function ofFolder(folder: string): Promise<Sign['fits'] | undefined> {
  const name = path.basename(folder);
  const names = await readdir(folder);
  if (name === 'meta' && names.includes('_journal.json')) return ['drizzle'];
  if (names.includes('schema.prisma')) return ['prisma'];
  if (names.includes('migration.sql')) return names.includes('snapshot.json') ? ['drizzle'] : ['prisma', 'drizzle'];
  if (!names.includes('up.sql') || !/^\d/.test(name)) return undefined;
  // Sourcegraph's has a description beside it; the name of Diesel's begins with a date.
  if (names.includes('metadata.yaml') || names.includes('up.yaml')) return ['sql'];
  return /^\d{4}-\d\d-\d\d-\d{6}_|^0+_diesel_initial_setup$/.test(name) ? ['diesel'] : ['diesel', 'sql'];
}

function refused(folder: string, signs: readonly Sign[]): VerdigrisError {
  const code = signs.find(({ fits }) => fits.length === 0);
  if (code) {
    return new VerdigrisError('migrations-code', {
      seen:
        `${path.join(folder, code.entry)} is a program of a migration tool that Verdigris does not run by ` +
        'itself (Knex, TypeORM, Sequelize, Kysely, Go migrations of goose).',
      required: 'files of SQL, or a tool that is declared.',
      next: 'declare it: `engine: { command: […] }` (docs/migrations.md).',
      facts: { file: code.entry },
    });
  }
  const kinds = new Map(signs.map((sign) => [sign.fits.join(' or '), sign]));
  const examples = [...kinds].map(([kind, { entry }]) => `${entry} (${kind})`).join(', ');
  return new VerdigrisError('migrations-two-engines', {
    seen: `${folder} has files of several engines: ${examples}.`,
    required: 'one engine, whose history says what has run.',
    next: 'move the files of one of them to another folder, or declare `engine` of the colour.',
    facts: { engines: [...kinds.keys()] },
  });
}
