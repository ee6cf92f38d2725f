import { stringify } from 'yaml';
import { ident } from '../../../postgres/quote.ts';
import { unfitForRecipe, type RecipeColumn } from './column.ts';
import { shortName, syncSql, type ColumnPair } from './sync.ts';

/** Files of a recipe; the writer puts the version before their names. */
export interface Recipe {
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** What the operator does next, one sentence each. */
  readonly next: readonly string[];
}

/** Of the expansion's files, without version and suffix. */
export function expandName({ table, column }: Pick<RecipeColumn, 'table' | 'column'>, fresh: string): string {
  return shortName(`expand_${table}_${column}_to_${fresh}`);
}

/** The migration that adds a column beside another, keeps both in step, and the backfill that fills it. */
export function expandColumn(pair: ColumnPair): Recipe {
  const { old, column, type, forth } = pair;
  if (old.siblings.includes(column))
    throw unfitForRecipe(
      `${old.schema}.${old.table} has a column ${column} already.`,
      'a name that is free.',
      'give another one.',
    );
  const table = ident(old.schema, old.table);
  const [from, to] = [`${old.schema}.${old.table}.${old.column}`, `${old.schema}.${old.table}.${column}`];
  const name = expandName(old, column);
  const migration = `-- Software of the release before uses ${old.column}, that of this one uses ${column};
-- both are in step until a later release takes ${old.column} away:
-- verdigris expand-contract contract ${from}
-- verdigris: expand ${to} replaces ${from}
ALTER TABLE ${table} ADD COLUMN ${ident(column)} ${type};
${old.notNull ? nullable(table, old.column) : ''}
${syncSql(pair)}${indexes(old, column)}${byHand(old)}`;
  const need = pair.comparable
    ? `${ident(column)} IS DISTINCT FROM ${forth}`
    : `(${ident(column)})::text IS DISTINCT FROM (${forth})::text`;
  const backfill = stringify(
    { table: `${old.schema}.${old.table}`, set: `${ident(column)} = ${forth}`, where: need, trigger: false },
    { lineWidth: 0 },
  );
  return {
    files: [
      { name: `${name}.sql`, text: migration },
      {
        name: `${name}.backfill.yaml`,
        text: `# Fills the rows that were there before; the trigger of the migration keeps them, and rows that replication brings.\n${backfill}`,
      },
    ],
    next: [
      `The new release: its software may read and write ${column}, and need not ` +
        `know ${old.column}. The live release continues with ${old.column}, beside it.`,
      `A later release: verdigris expand-contract contract ${from}`,
    ],
  };
}

function indexes({ schema, table, column, indexes: all }: RecipeColumn, fresh: string): string {
  if (all.length === 0) return '';
  return `\n${all
    .map(({ unique, method, columns }) => {
      const where = `because it runs on the candidate, where nobody waits${unique ? `, and is as unique as that of ${column}` : ''}`;
      const over = columns.map((name) => ident(name === column ? fresh : name)).join(', ');
      const create = `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ON ${ident(schema, table)} USING ${method} (${over});`;
      return `-- verdigris: allow create-index-blocking ${where}\n${create}`;
    })
    .join('\n')}\n`;
}

function nullable(table: string, column: string): string {
  return (
    '-- verdigris: allow drop-not-null because the trigger refuses NULL to clients; rows of the release that ' +
    `has no ${column} come back without it\nALTER TABLE ${table} ALTER COLUMN ${ident(column)} DROP NOT NULL;\n`
  );
}

/** Of columns whose indexes have no counterpart either. */
export function allByHand(columns: readonly RecipeColumn[]): string {
  return columns
    .map(({ indexes: plain, rest, ...column }) => {
      const names = plain.map(({ unique, columns: on }) => `${unique ? 'unique ' : ''}index on ${on.join(', ')}`);
      return byHand({ ...column, indexes: [], rest: [...names, ...rest] });
    })
    .join('');
}

function byHand({ column, rest }: RecipeColumn): string {
  if (rest.length === 0) return '';
  return (
    `\n-- To be decided by you; these hang on ${column} and have no counterpart here:\n` +
    `${rest.map((what) => `--   ${what.replaceAll('\n', ' ')}`).join('\n')}\n`
  );
}
