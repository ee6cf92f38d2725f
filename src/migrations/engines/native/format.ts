import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { VerdigrisError } from '../../../model/errors.ts';
import { readDrizzleJournal } from '../../drizzle-journal.ts';
import { sqlSources, versioned, type Naming, type SqlSource } from '../sql/layout.ts';
import { atlasSum } from './atlas-sum.ts';
import { toolHistories, type NativeTool, type ToolHistory } from './tool-history.ts';

/** Files that Verdigris runs itself, and where it writes what has run. */
export interface Format {
  readonly name: 'sql' | NativeTool;
  /** A tool's own; plain SQL's is verdigris.migration. */
  readonly history?: ToolHistory;
  readonly sources: (folder: string) => Promise<SqlSource[]>;
  /** A line by which the tool fills the file in, or reads it otherwise than it is written. */
  readonly unread?: RegExp;
}

const firstNumber: Naming = { title: /^(\d+)(?:[._-]*(.*))?$/ };

function tool(name: NativeTool, parts: Partial<Format> = {}): Format {
  return { name, history: toolHistories[name], sources: (folder) => sqlSources(folder, firstNumber), ...parts };
}

/** One row a format. What each looks like in a folder is in recognise.ts. */
const formats: Readonly<Record<Format['name'], Format>> = {
  sql: {
    name: 'sql',
    sources: (folder) => sqlSources(folder),
    unread: /^--\s*(?:\+goose\s+envsub\s+on\b|migrate:up\b.*\benv:|atlas:txtar\b).*$/im,
  },
  'golang-migrate': tool('golang-migrate', {
    sources: (folder) => sqlSources(folder, { ...firstNumber, anyCase: true }),
  }),
  goose: tool('goose', { unread: /^--\s*\+goose\s+envsub\s+on\b.*$/im }),
  dbmate: tool('dbmate', { unread: /^--\s*migrate:up\b.*\benv:.*$/im }),
  'sql-migrate': tool('sql-migrate'),
  tern: tool('tern', { unread: /\{\{.*$/m }),
  sqlx: tool('sqlx'),
  diesel: tool('diesel', { sources: (folder) => sqlSources(folder, { title: /^([\d-]*\d)(?:_(.*))?$/ }) }),
  refinery: tool('refinery', { sources: (folder) => sqlSources(folder, { title: /^[VU](\d+)__(\w+)$/ }) }),
  drizzle: tool('drizzle', { sources: ofDrizzle }),
  atlas: tool('atlas', { sources: ofAtlas, unread: /^--\s*atlas:(?:checkpoint|delimiter|import|txtar)\b.*$/im }),
  supabase: tool('supabase'),
};

export function formatOf(name: Format['name']): Format {
  return formats[name];
}

export function isNative(name: string): name is Format['name'] {
  return Object.hasOwn(formats, name);
}

/** By its journal, in its order; the newer layout has a folder each, whose name is the time. */
async function ofDrizzle(folder: string): Promise<SqlSource[]> {
  const text = await readFile(path.join(folder, 'meta', '_journal.json'), 'utf8').catch(() => undefined);
  if (text === undefined)
    return (await sqlSources(folder, firstNumber)).map((source) => ({ ...source, stamp: timeOf(source.version) }));
  const listed = readDrizzleJournal(text);
  if (!listed) throw unlisted(folder, 'meta/_journal.json is no journal of Drizzle');
  return listed.map(({ tag, when }) => {
    const [, version = '', name = tag] = versioned.exec(tag) ?? [];
    return { version, name, path: path.join(folder, `${tag}.sql`), entry: `${tag}.sql`, stamp: String(when) };
  });
}

/** `20260115120000` in milliseconds since 1970, as Drizzle counts it. */
function timeOf(version: string): string {
  const [, year = '', month = '', day = '', hour = '', minute = '', second = ''] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(version) ?? [];
  return String(Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)));
}

async function ofAtlas(folder: string): Promise<SqlSource[]> {
  const sources = await sqlSources(folder, firstNumber);
  const sums = await atlasSum(folder, sources);
  if (typeof sums === 'string') throw unlisted(folder, sums, 'run `atlas migrate hash`.');
  return sources.map((source) => ({ ...source, stamp: sums.get(source.entry) }));
}

function unlisted(folder: string, why: string, next = 'generate it again with the tool.'): VerdigrisError {
  return new VerdigrisError('migration-list', {
    seen: `${folder}: ${why}.`,
    required: 'a list of the tool that matches the files.',
    next,
  });
}
