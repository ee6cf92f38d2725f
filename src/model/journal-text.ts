import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ErrorId } from './error-catalogue.ts';
import { VerdigrisError } from './errors.ts';
import { journalRecord, journalVersion, type Journal } from './journal.ts';

/** The journal as stored: with a digest, so that a cut or an edit is seen. */
export function serializeJournal(journal: Journal): string {
  const body = JSON.stringify(journalRecord.parse(journal));
  return `${JSON.stringify({ digest: digest(body), journal: JSON.parse(body) as unknown }, null, 1)}\n`;
}

/**
 * Parses what a store holds. Refuses, and never guesses, what is cut short, edited or from a newer version. `where`
 * names it for people.
 */
export function parseJournal(text: string, where: string): Journal {
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch (cause) {
    throw unreadable(
      'journal-cut',
      `The journal ${where} is not whole: ${text.length} characters that are no JSON.`,
      cause,
    );
  }
  const { digest: sum, journal } =
    z.object({ digest: z.string(), journal: z.object({ version: z.unknown() }).loose() }).safeParse(stored).data ?? {};
  if (journal === undefined) throw unreadable('journal-cut', `The journal ${where} has no content that could be one.`);
  if (typeof journal.version === 'number' && journal.version > journalVersion) {
    throw new VerdigrisError('journal-newer', {
      seen: `The journal ${where} was written by a newer Verdigris (journal version ${journal.version}).`,
      required: `version ${journalVersion}, which is what this one reads.`,
      next: 'use the newer Verdigris for this environment; nothing was changed.',
    });
  }
  if (digest(JSON.stringify((stored as { journal: unknown }).journal)) !== sum)
    throw unreadable('journal-edited', `The journal ${where} does not match its digest: it was edited or damaged.`);
  const parsed = journalRecord.safeParse(journal);
  if (!parsed.success)
    throw unreadable(
      'journal-edited',
      `The journal ${where} has fields that do not fit: ${z.prettifyError(parsed.error)}`,
    );
  return parsed.data;
}

/** The token under which a stored journal was written, for counting on from there; 0 where it cannot be read. */
export function tokenIn(text: string | undefined): number {
  try {
    const { journal } = JSON.parse(text ?? '{}') as { journal?: { token?: unknown } };
    return typeof journal?.token === 'number' ? journal.token : 0;
  } catch {
    // A journal that cannot be read is refused where it is opened, with what to do.
    return 0;
  }
}

function unreadable(id: ErrorId, seen: string, cause?: unknown): VerdigrisError {
  return new VerdigrisError(id, {
    seen,
    required: 'the journal as Verdigris wrote it: it alone knows which colour may take writes.',
    next:
      'nothing was changed. `verdigris recover --rebuild` says whether the revision before it may be put back, by ' +
      "which colour the databases say is open, and --yes puts it back; find out why (df, the kernel's log) before. " +
      'By hand: docs/operations/journal.md.',
    cause,
  });
}

function digest(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}
