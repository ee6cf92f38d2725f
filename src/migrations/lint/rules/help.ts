import type { Constraint } from 'libpg-query';
import { forbiddenAs, forbiddenTags, type Forbidden } from '../../forbidden.ts';
import { all, nameLabel, strings, type Name, type Of, type Tag } from '../ast.ts';
import type { AlterContext, LintContext } from '../context.ts';
import { constraintName, notNullColumns } from '../learn-table.ts';
import { plainIdent, plainTable } from '../names.ts';
import type { ConstraintFact } from '../facts.ts';
import type { Checks, Drafts } from '../rule.ts';

/** The name of a constraint of the statement, or the one that a suggestion gives it. */
export function nameFor(
  table: Name,
  kind: ConstraintFact['kind'],
  constraint: Constraint,
  columns: readonly string[],
): string {
  return plainIdent(constraint.conname ?? constraintName(table.name, kind, columns).slice(0, 63));
}

/**
 * Columns that a constraint lists or, for a check, that it requires; those of the column that it belongs to otherwise.
 */
export function constraintColumns(constraint: Constraint, column?: string): string[] {
  const listed = strings(constraint.keys ?? constraint.fk_attrs);
  if (listed.length > 0) return listed;
  return column === undefined ? notNullColumns(constraint.raw_expr) : [column];
}

/**
 * `ADD CONSTRAINT name <definition> NOT VALID`, then VALIDATE: the lock is held for a moment, the scan blocks nobody.
 */
export function notValidFirst(context: AlterContext, constraint: Constraint, kind: 'check' | 'foreign'): string {
  const name = nameFor(context.table, kind, constraint, constraintColumns(constraint));
  const definition = context.words.replace(/^ADD\s+(?:CONSTRAINT\s+(?:"(?:[^"]|"")*"|\S+)\s+)?/i, '');
  return (
    `ALTER TABLE ${plainTable(context.table)} ADD CONSTRAINT ${name} ${definition} NOT VALID;\n-- in a later migration, or after COMMIT:\n` +
    `ALTER TABLE ${plainTable(context.table)} VALIDATE CONSTRAINT ${name};`
  );
}

/** Inserts CONCURRENTLY where a statement allows it. */
export function concurrently(text: string, after: RegExp): string {
  return `${text.replace(after, (found) => `${found} CONCURRENTLY`)};`;
}

/** A column as the catalogue's findings print it. */
export function columnObject(table: Name, column: string): string {
  return `${nameLabel(table)}.${column}`;
}

export function list(columns: readonly string[]): string {
  return columns.map(plainIdent).join(', ');
}

/** One check for several kinds of statement. */
export function forEach(
  tags: readonly Exclude<Tag, 'AlterTableCmd'>[],
  check: (context: LintContext) => Drafts,
): Checks {
  return Object.fromEntries(tags.map((tag) => [tag, (_: object, context: LintContext) => check(context)]));
}

/** What the runner takes in no file, by the one table that says so. */
export function forbiddenBy(rule: Forbidden['rule']): Checks {
  return forEach(forbiddenTags, ({ statement: { node, text } }) => {
    const found = forbiddenAs(node, text);
    return found?.rule === rule && found ? { message: `It ${found.why}.` } : undefined;
  });
}

/** What later statements of the file do to the same table. */
export function laterCommands(context: Pick<AlterContext, 'after' | 'name' | 'table'>): Of<'AlterTableCmd'>[] {
  return context.after.flatMap(({ tag, fields }) => {
    const node = fields as Of<'AlterTableStmt'>;
    const same = tag === 'AlterTableStmt' && nameLabel(context.name(node.relation)) === nameLabel(context.table);
    return same ? all(node.cmds, 'AlterTableCmd') : [];
  });
}

/** A CHECK or a foreign key that refuses nothing. The parser leaves out what is false. */
export function isNotEnforced(constraint: { readonly [of in keyof Constraint]?: unknown }): boolean {
  const { contype, is_enforced, skip_validation } = constraint;
  const known = contype === 'CONSTR_CHECK' || contype === 'CONSTR_FOREIGN';
  return known && skip_validation === true && is_enforced !== true;
}
