import { count } from '../../model/count.ts';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { compareVersions } from '../engines/sql/files.ts';
import { versioned } from '../engines/sql/layout.ts';
import type { Assignment } from './assignments.ts';
import { backfillSchema, type BackfillDeclaration } from './declaration.ts';
import { ending } from './file-name.ts';

/** A backfill as its file declares it. */
export interface Backfill extends BackfillDeclaration {
  /** `0007`: it runs after the migration of this version and before the next. */
  readonly version: string;
  /** `0007_full_name`, as it is called everywhere. */
  readonly name: string;
  readonly path: string;
  /** sha256 of what it does: table, set, where and key. Limits may be changed while it runs. */
  readonly checksum: string;
  readonly assignments: readonly Assignment[];
}

/** A folder of their own, for engines that take every file of theirs for a migration. */
const own = 'backfills';

/** The backfills of a migrations folder, and of `backfills/` in it, in the order of their versions. */
export async function readBackfills(folder: string): Promise<Backfill[]> {
  const found: Backfill[] = [];
  for (const place of [folder, path.join(folder, own)]) {
    // A folder that is missing is the engine's to refuse, in its words.
    const names = await readdir(place).catch((): string[] => []);
    for (const name of names.filter((each) => ending.test(each)).sort())
      found.push(await readBackfill(path.join(place, name)));
  }
  found.sort((a, b) => compareVersions(a.version, b.version) || (a.name < b.name ? -1 : 1));
  const twice = found.find(({ name }, index) => found[index + 1]?.name === name);
  if (twice)
    throw invalid(twice.path, `${twice.name} is declared twice.`, 'one file a backfill.', 'remove one of them.');
  return found;
}

async function readBackfill(file: string): Promise<Backfill> {
  const name = path.basename(file).replace(ending, '');
  const [, version, title] = versioned.exec(name) ?? [];
  if (version === undefined || title === undefined)
    throw invalid(
      file,
      `${path.basename(file)}: no version in the name.`,
      'names such as 0007_full_name.backfill.yaml.',
      'rename it.',
    );
  let raw: unknown;
  try {
    raw = parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw invalid(file, `${file} is not YAML: ${describe(cause)}`, 'YAML.', 'fix it there.', cause);
  }
  const parsed = backfillSchema.safeParse(raw);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) =>
      issue.code === 'unrecognized_keys'
        ? `  ${issue.keys.join(', ')}: is not a key that a backfill knows`
        : `  ${issue.path.join('.') || '(whole file)'}: ${issue.message}`,
    );
    throw invalid(
      file,
      `${file} has ${count(issues.length, 'fault')}:\n${issues.join('\n')}\n`,
      'a backfill as docs/backfill.md describes it.',
      'fix what is listed; nothing was done.',
      parsed.error,
    );
  }
  const { table, set, where, key } = parsed.data;
  // Loaded only where there is a backfill: PostgreSQL's own parser takes longer to load than a short command.
  const { parseAssignments } = await import('./assignments.ts');
  const assignments = await parseAssignments(set, where).catch((cause: unknown) => {
    throw invalid(
      file,
      `${file}: \`set\` and \`where\` are not read as SQL: ${describe(cause)}.`,
      'an assignment list, as after SET, and a condition, as after WHERE.',
      'fix it there; nothing was done.',
      cause,
    );
  });
  return {
    ...parsed.data,
    version,
    name,
    path: file,
    assignments,
    checksum: createHash('sha256')
      .update(JSON.stringify([table, set, where, key]))
      .digest('hex'),
  };
}

function invalid(file: string, seen: string, required: string, next: string, cause?: unknown): VerdigrisError {
  return new VerdigrisError('backfill-invalid', { seen, required, next, facts: { file }, cause });
}
