import { count } from '../../model/count.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { FromFile, Ran } from './statement.ts';

/** `0007_raise.sql:3: UPDATE limits SET …`, cut to one line, comments left out. */
export function sourceLine({ file, line, text }: Pick<FromFile, 'file' | 'line' | 'text'>): string {
  const said = text
    .split('\n')
    .map((each) => each.trim())
    .filter((each) => each !== '' && !each.startsWith('--'))
    .join(' ');
  return `${file}:${line}: ${said.length > 120 ? `${said.slice(0, 119)}…` : said}`;
}

/** A statement that cannot wait for the switchover, because what comes after it may need what it defines. */
export function cannotBeHeld(
  statement: Pick<FromFile, 'file' | 'line' | 'text'>,
  why: string,
  tables: readonly string[],
): VerdigrisError {
  return new VerdigrisError('data-statement-mixed', {
    seen:
      `${sourceLine(statement)} changes the schema and rows that have to wait for the switchover in one statement: ` +
      `${why}${tables.length > 0 ? ` (${tables.join(', ')})` : ''}.`,
    required:
      "row changes that can be held back until the switchover: before it, replication overwrites them with the live colour's rows.",
    next:
      'move the row changes to statements of their own, or to a block without definitions. Nothing of this ' +
      'file is applied, and the live colour is untouched.',
    facts: { file: statement.file, line: statement.line, tables },
  });
}

/** What is held back is kept in the database, as its owner may write it: it never runs as superuser. */
export function heldAsSuperuser(statement: Pick<FromFile, 'file' | 'line' | 'text'>): VerdigrisError {
  return new VerdigrisError('data-statement-superuser', {
    seen: `${sourceLine(statement)} changes rows that both colours have, so it is held back until the switchover, but a note makes its file run as superuser.`,
    required: 'statements that run as the owner at the switchover.',
    next: 'move it to a file without the note, with a higher version. Nothing of this file is applied, and the live colour is untouched.',
    facts: { file: statement.file, line: statement.line },
  });
}

/** Clients use what it would write to, and `abandon` does not take it back. */
export function liveUndeclared(
  statement: Pick<FromFile, 'file' | 'line' | 'text'>,
  { live, idle }: { readonly live: string; readonly idle: string },
): VerdigrisError {
  return new VerdigrisError('live-writes-undeclared', {
    seen: `${sourceLine(statement)} is to run on ${live}, which clients use, by its note place=live.`,
    required: `colours.${idle}.writesLive: true in the declaration: abandon does not take back what is written there.`,
    next: 'declare it and migrate again; or remove the note. Nothing was written.',
    facts: { file: statement.file, line: statement.line },
  });
}

/** Repeatable files run whenever they were changed, and in an order that is found by trial. */
export function repeatableWrites(source: string, tables: readonly string[]): VerdigrisError {
  return new VerdigrisError('data-statement-mixed', {
    seen: `${source} changes rows that have to wait for the switchover (${tables.join(', ')}), and repeatable/ is for functions, views and triggers.`,
    required: 'row changes in numbered files, where each runs once.',
    next: 'move the statement to a numbered migration. No repeatable file is applied, and the live colour is untouched.',
    facts: { tables },
  });
}

/** At the switchover its file's session is gone. */
export function heldNeedsSession(
  statement: Pick<FromFile, 'file' | 'line' | 'text'>,
  needed: string,
  why: string,
): VerdigrisError {
  return new VerdigrisError('data-statement-session', {
    seen: `${sourceLine(statement)} is held back until the switchover, because ${why}, and needs ${needed}, which its file's session has for itself.`,
    required: 'a statement that can run in another session.',
    next:
      'write it as one statement (`WITH … AS (SELECT …) UPDATE …`), put all of it into one DO block, with what makes ' +
      'and fills its temporary tables, or make a temporary table an ordinary one that a later release drops. The live ' +
      'colour is untouched.',
    facts: { file: statement.file, line: statement.line, needed },
  });
}

/** What a procedure has committed nobody takes back. */
export function commitsItself(statement: Pick<FromFile, 'file' | 'line' | 'text'>): VerdigrisError {
  return new VerdigrisError('data-statement-commits', {
    seen: `${sourceLine(statement)} commits on its own: what it writes can be neither tried nor held back until the switchover.`,
    required: 'a statement without a COMMIT, or a note that its rows may be written on the candidate.',
    next:
      'write it as a backfill (docs/backfill.md) or without the COMMIT; or, where it writes what the live colour does ' +
      'not have, put `-- verdigris: place=candidate reason=…` before it. Nothing of it is applied, and the live colour ' +
      'is untouched.',
    facts: { file: statement.file, line: statement.line },
  });
}

/** By the switchover what it relies on has been undone: the file enables them again. */
export function heldWithoutTriggers(
  statement: Pick<FromFile, 'file' | 'line' | 'text'>,
  triggers: readonly string[],
): VerdigrisError {
  return new VerdigrisError('data-statement-triggers', {
    seen:
      `${sourceLine(statement)} changes rows that both colours have, so it is held back until the switchover, and ` +
      `migrations have disabled ${triggers.join(', ')}, which would fire there.`,
    required: 'a statement that writes the same at the switchover as in its place in the file.',
    next:
      'let the triggers fire, or change these rows on the live colour before the release, as you would without ' +
      'Verdigris. Nothing of this file is applied, and the live colour is untouched.',
    facts: { file: statement.file, line: statement.line, triggers },
  });
}

/** One that is held back until the switchover and fails. `next` says what is true and what to do. */
export function heldFailed(held: FromFile, next: string, cause: unknown): VerdigrisError {
  const { message, detail, code } = cause as { message: string; detail?: string; code?: string };
  return new VerdigrisError('data-statement-failed', {
    seen:
      `${sourceLine(held)}: ${message}${detail === undefined ? '' : ` (${detail})`}. It changes rows that both ` +
      'colours have, so it runs at the switchover, after all migrations.',
    required: 'a statement that succeeds there.',
    next,
    facts: { file: held.file, line: held.line, sqlstate: code },
    cause,
  });
}

const switchNote = '-- verdigris: place=switch reason=clients may wait for it';

function rowsOf(writes: Ran['writes']): string {
  return count(
    writes.reduce((all, { inserted, updated, deleted }) => all + inserted + updated + deleted, 0),
    'row',
  );
}

/** What was tried takes clients longer to wait for than is allowed. `limits` as DataPolicy has them. */
export function tooSlow(
  ran: readonly Ran[],
  limits: { readonly held: number; readonly asked: number },
  next: string,
): VerdigrisError | undefined {
  const sum = (some: readonly Ran[]): number => some.reduce((all, { ms }) => all + ms, 0);
  const unasked = ran.filter(({ held }) => !held.asked);
  const [over, limit] =
    sum(unasked) > limits.held ? [unasked, limits.held] : sum(ran) > limits.asked ? [ran, limits.asked] : [[], 0];
  if (over.length === 0) return undefined;
  const bearable = sum(ran) <= limits.asked;
  const listed = over.map(({ held, ms, writes }) => `  ${sourceLine(held)} (${Math.ceil(ms)} ms, ${rowsOf(writes)})`);
  return new VerdigrisError('data-statement-slow', {
    seen:
      'These change rows that both colours have, so they run at the switchover, while clients wait; tried now ' +
      `they took ${Math.ceil(sum(over))} ms:\n` +
      `${listed.join('\n')}\n`,
    required: `at most ${Math.floor(limit)} ms in all, ${limit === limits.held ? 'a tenth of' : ''} limits.pause.`,
    next: [
      `${next} It may run on the live colour before the switchover, by the note place=live and writesLive: true of the colour in verdigris.yaml`,
      '(docs/migrations.md), which abandon does not take back; or as a backfill (docs/backfill.md), where it fills what is new.',
      // Only where it leads on.
      ...(bearable ? ['Or clients wait for it, by this line before it:', switchNote] : []),
    ].join('\n'),
    facts: { files: over.map(({ held }) => `${held.file}:${held.line}`), ms: Math.ceil(sum(over)), limitMs: limit },
  });
}
