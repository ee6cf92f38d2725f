import { noteCloses, noteOpens } from './comment-form.ts';
import { upPart } from './up-part.ts';

/**
 * A comment that is nothing but "run this file outside a transaction": Verdigris's own, sqlx's, Atlas's,
 * node-pg-migrate's, Flyway's and others'. A tool's name may come before it, a reason behind it. A sentence that
 * merely has the words is none.
 */
const note = new RegExp(
  String.raw`${noteOpens}(?:[\w.-]+:[ \t]*)?(?:${[
    'no[-_ ]?transaction',
    'disable[-_]ddl[-_]transaction',
    String.raw`executeInTransaction\s*[=:]\s*false`,
    String.raw`(?:run[-_]?in[-_]?)?transaction\s*[=:]\s*(?:false|off|no|none)`,
    String.raw`txmode\s+none`,
  ].join('|')})!?[ \t]*(?:because\b.*?)?${noteCloses}`,
  'im',
);

/** tern's note has four dashes. */
const terns = /^---- tern: disable-tx ----$/m;

/**
 * Whether a migration's text asks its engine not to wrap it in a transaction. One answer for the linter and the runner.
 */
export function asksForNoTransaction(text: string): boolean {
  return /--|\/\*/.test(text) && (note.test(text) || terns.test(text) || upPart(text).noTransaction);
}
