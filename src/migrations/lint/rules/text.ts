import { as, type Of } from '../ast.ts';
import type { LintContext } from '../context.ts';
import { bodyOf, unpack } from '../plpgsql.ts';
import { tryParse } from '../parse.ts';
import type { Drafts, LintRule } from '../rule.ts';
import { forbiddenBy } from './help.ts';

export const encodingRule: LintRule = {
  id: 'encoding',
  title: 'The file is not UTF-8',
  severity: 'error',
  category: 'safety',
  where: 'both',
  why: 'PostgreSQL takes the bytes for UTF-8: it refuses them, or stores other characters than were meant.',
  instead: 'Save the file as UTF-8 without a byte order mark (`iconv -f latin1 -t utf-8`).',
  bad: '-- bytes: the character é as Latin-1, 0xE9',
  good: 'SELECT 1;',
  remedy: false,
};

export const syntax: LintRule = {
  id: 'syntax',
  title: 'SQL that PostgreSQL does not parse',
  severity: 'error',
  category: 'safety',
  where: 'both',
  why: "The migration fails here. This is PostgreSQL's own parser, of version 18: what it refuses, the server refuses.",
  instead: 'Fix it at the caret.',
  bad: 'ALTER TABLE t ADD COLUM n integer;',
  good: 'ALTER TABLE t ADD COLUMN n integer;',
  check: {
    // Bodies of functions are text to the SQL parser: they would fail only when called, or at CREATE.
    CreateFunctionStmt: (node, context) => {
      const body = bodyOf(context.statement, node);
      if (body?.language === 'sql') {
        const parsed = tryParse(body.text);
        if ('statements' in parsed || body.text.trim() === '') return undefined;
        const at = Buffer.byteLength([...body.text].slice(0, parsed.cursor).join(''));
        const start = body.start === undefined ? body.range.start : body.start + at;
        return { message: `In the function's body: ${parsed.message}.`, range: { start, end: start + 1 } };
      }
      return body?.language === 'plpgsql' ? inBody(context, node) : undefined;
    },
    DoStmt: (node, context) => inBody(context, node),
  },
};

function inBody(context: LintContext, node: Of<'DoStmt'> | Of<'CreateFunctionStmt'>): Drafts {
  const body = bodyOf(context.statement, node);
  if (body?.language !== 'plpgsql') return undefined;
  const { problem } = unpack(context.statement, body);
  return problem ? { message: `In the PL/pgSQL body: ${problem.message}.`, range: problem.range } : undefined;
}

export const psqlCommand: LintRule = {
  id: 'psql-command',
  title: 'A command of psql',
  severity: 'error',
  category: 'safety',
  where: 'both',
  why:
    "Backslash commands, and data after COPY … FROM stdin, are psql's own: the server does not know them, " +
    'and no migration engine but psql runs them. \\c leaves the database, \\i reads files that no review and ' +
    'no checksum sees.',
  instead: 'SQL: SET for \\set, INSERT for data, a file of its own for \\i.',
  bad: '\\c other\nSELECT 1;',
  good: 'SELECT 1;',
  remedy: false,
  forbidden: true,
  check: {
    // With its rows behind it the parser has said so.
    CopyStmt: (node, context) =>
      /^\\\.[ \t]*\r?$/m.test(context.source.text) ? undefined : forbiddenBy('psql-command').CopyStmt?.(node, context),
  },
};

export const dynamicSql: LintRule = {
  id: 'dynamic-sql',
  title: 'SQL that is built when it runs',
  severity: 'info',
  category: 'safety',
  where: 'both',
  why: 'What EXECUTE runs is text until then: no rule here has looked at it.',
  instead:
    'Write the statements out where that is possible; else rehearse the migration (`verdigris rehearse`), which sees what really runs.',
  bad: "DO $$ DECLARE name text := 'lone'; BEGIN EXECUTE 'DROP TABLE ' || name; END $$;",
  good: 'DO $$ BEGIN PERFORM 1; END $$;',
  remedy: false,
  check: {
    DoStmt: (node, context) => {
      const body = bodyOf(context.statement, node);
      if (!body) return undefined;
      if (body.language !== 'plpgsql') return { message: `A DO block in ${body.language} is not looked into.` };
      return unpack(context.statement, body).dynamic.map((range) => ({
        message: 'This statement is not linted: its text exists only when it runs.',
        range,
      }));
    },
    CallStmt: (node, context) => ({
      message: `What ${context.nameOf(as({ FuncCall: node.funccall ?? {} }, 'FuncCall')?.funcname).name} does is not linted here.`,
    }),
  },
};

export const doCommit: LintRule = {
  id: 'commit-in-do',
  title: 'COMMIT inside a DO block',
  severity: 'error',
  category: 'safety',
  where: 'both',
  why:
    "It fails where the block runs in a transaction, as a runner's migrations do; outside one it leaves half " +
    'of the migration behind when something fails later.',
  instead:
    "A file `NNNN_name.backfill.yaml` (`verdigris backfill`) for work in batches; the runner's transaction for everything else.",
  bad: 'DO $$ BEGIN UPDATE lone SET id = 1 WHERE id = 1; COMMIT; END $$;',
  good: 'DO $$ BEGIN PERFORM 1; END $$;',
  remedy: false,
  check: {
    DoStmt: (node, context) => {
      const body = bodyOf(context.statement, node);
      return body?.language === 'plpgsql'
        ? unpack(context.statement, body).commits.map((range) => ({
            message: 'It ends the transaction that the runner began, or fails.',
            range,
          }))
        : undefined;
    },
  },
};

export const suppressionReason: LintRule = {
  id: 'suppression-without-reason',
  title: 'A suppression without a reason',
  severity: 'warning',
  category: 'safety',
  where: 'both',
  why: 'Nobody can tell in a year whether it is still right.',
  instead: '-- verdigris: allow <rule> because <reason>',
  bad: '-- verdigris: allow drop-table\nDROP TABLE lone;',
  good: '-- verdigris: allow drop-table because nothing has used it since release 41\nDROP TABLE lone;',
};

export const suppressionUnused: LintRule = {
  id: 'suppression-unused',
  title: 'A suppression that suppresses nothing',
  severity: 'warning',
  category: 'safety',
  where: 'both',
  why: 'It names no rule, or one that finds nothing here: it would hide the next finding.',
  instead: "Remove it, or fix the rule's name.",
  bad: '-- verdigris: allow drop-table because it was there once\nSELECT 1;',
  good: '-- verdigris: allow drop-table because nothing has used it since release 41\nDROP TABLE lone;',
};

export const malformedNote: LintRule = {
  id: 'malformed-note',
  title: 'A note that cannot be followed',
  severity: 'error',
  category: 'safety',
  where: 'both',
  why: '`migrate` refuses a release with such a note, because it cannot know what was meant to be allowed.',
  instead:
    '`contract OBJECT last-used-by RELEASE`, `contract OBJECT unused because REASON` or `expand OBJECT replaces OBJECT`; ' +
    'before a statement that writes rows `place=candidate|live|switch reason=…`. Each in one line.',
  bad: '-- verdigris: contract public.lone\nDROP TABLE lone;',
  good: '-- verdigris: contract public.lone last-used-by 41\nDROP TABLE lone;',
};

export const textRules: readonly LintRule[] = [
  encodingRule,
  syntax,
  psqlCommand,
  dynamicSql,
  doCommit,
  suppressionReason,
  suppressionUnused,
  malformedNote,
];
