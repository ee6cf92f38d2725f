import { stringify } from 'yaml';
import { ident, literal } from '../../../postgres/quote.ts';
import type { Assignment } from '../../backfill/assignments.ts';
import { unfitForRecipe, type RecipeColumn } from './column.ts';
import { allByHand, type Recipe } from './expand.ts';
import { dropStepTrigger, keepHalf, stepTrigger } from './kept.ts';
import { shortName } from './sync.ts';

export interface FreshColumn {
  readonly column: string;
  readonly type: string;
  /** SQL over the old columns. */
  readonly using: string;
}

/** Columns that other columns stand in for: one that is split, several that are merged. */
export interface Reshape {
  readonly old: readonly [RecipeColumn, ...RecipeColumn[]];
  readonly fresh: readonly [FreshColumn, ...FreshColumn[]];
  /** SQL over the new columns, for each old one. */
  readonly back: readonly Assignment[];
}

/**
 * As for one column (`syncSql`): who writes the new ones has the old ones made of them, who writes the old ones alone
 * the new ones; what agrees stays as it is, so that a row that was sent with both arrives as it was.
 */
export function reshape({ old, fresh, back }: Reshape): Recipe {
  const [{ schema, table, siblings }] = old;
  const taken = fresh.find(({ column }) => siblings.includes(column));
  if (taken)
    throw unfitForRecipe(
      `${schema}.${table} has a column ${taken.column} already.`,
      'a name that is free.',
      'give another one.',
    );
  const on = ident(schema, table);
  const olds = old.map(({ column }) => column);
  const news = fresh.map(({ column }) => column);
  const name = shortName(`step_${table}_${olds.join('_')}_to_${news.join('_')}`);
  const row = (of: string, columns: readonly string[]): string =>
    `ROW(${columns.map((column) => `${of}${ident(column)}`).join(', ')})`;
  const none = (columns: readonly string[]): string => `ROW(${columns.map(() => 'NULL').join(', ')})`;
  const given = (columns: readonly string[]): string =>
    `(SELECT ${columns.map((column) => `NEW.${ident(column)}`).join(', ')}) AS given (${columns.map((column) => ident(column)).join(', ')})`;
  const forth = fresh.map(({ using, type }) => `(${using})::${type}`);
  const required = old.filter(({ notNull }) => notNull);
  const objects = olds.map((column) => `${schema}.${table}.${column}`);
  const trigger = {
    schema,
    table,
    name,
    when: 'BEFORE INSERT OR UPDATE',
    always: true,
    declare: fresh.map(({ type }, place) => `carried_${place} ${type};`).join('\n  '),
    body: `  BEGIN
    SELECT ${forth.join(', ')} INTO ${fresh.map((_, place) => `carried_${place}`).join(', ')} FROM ${given(olds)};
  EXCEPTION WHEN data_exception THEN
    -- Software of the old shape may write it: the new columns stay empty.
    NULL;
  END;
  IF TG_OP = 'INSERT' AND ${row('NEW.', news)} IS NOT DISTINCT FROM ${none(news)}
    OR TG_OP = 'UPDATE' AND ${row('NEW.', news)} IS NOT DISTINCT FROM ${row('OLD.', news)} AND ${row('NEW.', olds)} IS DISTINCT FROM ${row('OLD.', olds)} THEN
    ${fresh.map(({ column }, place) => `NEW.${ident(column)} := carried_${place};`).join(' ')}
  ELSIF (TG_OP = 'INSERT' OR ${row('NEW.', news)} IS DISTINCT FROM ${row('OLD.', news)})
    AND ${row('NEW.', news)} IS DISTINCT FROM ROW(${fresh.map((_, place) => `carried_${place}`).join(', ')}) THEN
    BEGIN
      SELECT ${back.map(({ expression }) => `(${expression})`).join(', ')}
      INTO ${back.map(({ column }) => `NEW.${ident(column)}`).join(', ')} FROM ${given(news)};
    EXCEPTION WHEN data_exception THEN
      -- A client is told that software of the old shape could not read it; replication does not stop for it.
      IF current_setting('session_replication_role') <> 'replica' THEN RAISE; END IF;
      ${back.map(({ column }) => `NEW.${ident(column)} := NULL;`).join(' ')}
    END;
  END IF;
${required
  .map(
    ({ column }) =>
      `  IF NEW.${ident(column)} IS NULL AND current_setting('session_replication_role') <> 'replica' THEN
    RAISE not_null_violation USING MESSAGE = ${literal(`null value in column "${column}" of relation "${table}"`)},
      SCHEMA = ${literal(schema)}, TABLE = ${literal(table)}, COLUMN = ${literal(column)};
  END IF;
`,
  )
  .join('')}  RETURN NEW;`,
  };
  const [file, goes] = [shortName(`expand_${table}_${olds.join('_')}_to_${news.join('_')}`), objects.join(', ')];
  const second = `${dropStepTrigger(trigger)}-- verdigris: allow drop-column because no release that can be live uses it
ALTER TABLE ${on} ${olds.map((column) => `DROP COLUMN ${ident(column)}`).join(', ')};
`;
  const text = `-- Software of the release before uses ${olds.join(', ')}, that of this one ${news.join(', ')}.
-- They are in step until a later release takes the old shape away:
-- verdigris expand-contract contract ${objects[0] ?? ''}
ALTER TABLE ${on} ${fresh.map(({ column, type }) => `ADD COLUMN ${ident(column)} ${type}`).join(', ')};
${required
  .map(
    ({ column }) =>
      '-- verdigris: allow drop-not-null because the trigger refuses NULL to clients; a release without ' +
      `${column} sends rows without it\nALTER TABLE ${on} ALTER COLUMN ${ident(column)} DROP NOT NULL;\n`,
  )
  .join('')}${stepTrigger(trigger)}${keepHalf(trigger, { objects, sql: second })}${allByHand(old)}`;
  const empty = `${row('', news)} IS NOT DISTINCT FROM ${none(news)}`;
  const backfill = stringify(
    {
      table: `${schema}.${table}`,
      set: fresh.map(({ column }, place) => `${ident(column)} = ${forth[place] ?? ''}`).join(', '),
      where: `${empty} AND ROW(${forth.join(', ')}) IS DISTINCT FROM ${none(news)}`,
      trigger: false,
    },
    { lineWidth: 0 },
  );
  return {
    files: [
      { name: `${file}.sql`, text },
      { name: `${file}.backfill.yaml`, text: `# Fills the rows that were there before.\n${backfill}` },
    ],
    next: [
      `The new release: its software may read and write ${news.join(', ')}, and need not know ${olds.join(', ')}.`,
      `A later release: verdigris expand-contract contract ${objects[0] ?? ''} (for ${goes}); …_${file}.backfill.yaml is removed with it.`,
    ],
  };
}
