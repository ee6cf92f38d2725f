import { ident } from '../../../postgres/quote.ts';
import { unfitForRecipe, type RecipeColumn } from './column.ts';
import { allByHand, type Recipe } from './expand.ts';
import { dropStepTrigger, keepHalf, stepTrigger, type StepTrigger } from './kept.ts';
import { shortName } from './sync.ts';
import type { RecipeTable } from './table.ts';

/**
 * Columns of a table that get a table of their own, with its key. A row is there where one of them has a value. Both
 * are in step in both directions, for replicated rows too: what each writes in the other is what the other has already
 * where both were sent.
 */
export function splitTable(
  from: RecipeTable,
  fresh: string,
  columns: readonly RecipeColumn[],
  key: readonly { readonly column: string; readonly type: string }[],
): Recipe {
  const { schema, table, guarded, granted } = from;
  if (guarded || granted.length > 0)
    throw unfitForRecipe(
      `${schema}.${table} has ${guarded ? 'row-level security' : `privileges by column: ${granted.join(', ')}`}, which ${fresh} would not have.`,
      'that whoever sees a row of the table may see it in the new one.',
      'write the migration by hand: --dry-run on a copy without them shows its parts.',
    );
  const required = columns.find(({ notNull, defaultValue }) => notNull || defaultValue !== null);
  if (required)
    throw unfitForRecipe(
      `${schema}.${table}.${required.column} is required or has a default: a row of ${table} that knows nothing of it would have it all the same.`,
      'columns that may be NULL and have no default.',
      'let the new release take its NOT NULL and default away, and split the table in N+2.',
    );
  const [old, part] = [ident(schema, table), ident(schema, fresh)];
  const [names, keys] = [columns.map(({ column }) => ident(column)), key.map(({ column }) => ident(column))];
  const list = (prefix: string, all: readonly string[]): string => all.map((each) => `${prefix}${each}`).join(', ');
  const row = (prefix: string): string => `ROW(${list(prefix, names)})`;
  const same = (a: string, b: string): string => keys.map((each) => `${a}${each} = ${b}${each}`).join(' AND ');
  const empty = `ROW(${names.map(() => 'NULL').join(', ')})`;
  const moved = `NOT (${same('NEW.', 'OLD.')})`;
  const set = (prefix: string): string => names.map((each) => `${each} = ${prefix}${each}`).join(', ');
  const trigger = (on: string, what: string, when: string, body: string): StepTrigger => ({
    schema,
    table: on,
    name: shortName(`step_${fresh}_${what}`),
    when,
    always: true,
    definer: true,
    body,
  });
  const out = trigger(
    table,
    'out',
    'AFTER INSERT OR UPDATE OR DELETE',
    `  IF TG_OP = 'DELETE' THEN
    DELETE FROM ${part} AS part WHERE ${same('part.', 'OLD.')};
    RETURN NULL;
  ELSIF TG_OP = 'UPDATE' THEN
    IF ${moved} THEN
      -- The foreign key took it along already, but for replicated rows, where none is kept.
      DELETE FROM ${part} AS part WHERE ${same('part.', 'OLD.')};
    ELSIF ${row('NEW.')} IS NOT DISTINCT FROM ${row('OLD.')} THEN
      RETURN NULL;
    END IF;
  END IF;
  IF ${row('NEW.')} IS NOT DISTINCT FROM ${empty} THEN
    DELETE FROM ${part} AS part WHERE ${same('part.', 'NEW.')};
  ELSE
    INSERT INTO ${part} AS part (${list('', [...keys, ...names])}) VALUES (${list('NEW.', [...keys, ...names])})
    ON CONFLICT (${list('', keys)}) DO UPDATE SET ${set('excluded.')} WHERE ${row('part.')} IS DISTINCT FROM ${row('excluded.')};
  END IF;
  RETURN NULL;`,
  );
  const forget = `UPDATE ${old} AS whole SET ${names.map((each) => `${each} = NULL`).join(', ')}
      WHERE ${same('whole.', 'OLD.')} AND ${row('whole.')} IS DISTINCT FROM ${empty};`;
  const back = trigger(
    fresh,
    'back',
    'AFTER INSERT OR UPDATE OR DELETE',
    `  IF TG_OP = 'DELETE' THEN
    ${forget}
    RETURN NULL;
  ELSIF TG_OP = 'UPDATE' THEN
    IF ${moved} THEN
      ${forget}
    END IF;
  END IF;
  UPDATE ${old} AS whole SET ${set('NEW.')} WHERE ${same('whole.', 'NEW.')} AND ${row('whole.')} IS DISTINCT FROM ${row('NEW.')};
  RETURN NULL;`,
  );
  const meet = trigger(
    fresh,
    'meet',
    'BEFORE INSERT',
    `  -- Where both tables are sent, the row may have been made of the other one already.
  IF current_setting('session_replication_role') = 'replica' THEN
    UPDATE ${part} AS part SET ${set('NEW.')} WHERE ${same('part.', 'NEW.')};
    IF FOUND THEN RETURN NULL; END IF;
  ELSE
    -- In the order in which software of the old shape locks both.
    PERFORM FROM ${old} AS whole WHERE ${same('whole.', 'NEW.')} FOR NO KEY UPDATE;
  END IF;
  RETURN NEW;`,
  );
  const objects = columns.map(({ column }) => `${schema}.${table}.${column}`);
  const triggers = [out, back, meet];
  const second = `${triggers.map(dropStepTrigger).join('')}-- verdigris: allow drop-column because no release that can be live uses it
ALTER TABLE ${old} ${names.map((each) => `DROP COLUMN ${each}`).join(', ')};
`;
  const rights = from.grants
    .map(
      ({ grantee, privileges, grantable }) =>
        `GRANT ${privileges} ON ${part} TO ${grantee}${grantable ? ' WITH GRANT OPTION' : ''};\n`,
    )
    .join('');
  const text = `-- Software of the release before finds ${list('', names)} in ${table}, that of this one in ${fresh}.
-- Both are in step until a later release takes the old shape away:
-- verdigris expand-contract contract ${objects[0] ?? ''}
CREATE TABLE ${part} (${[...key, ...columns].map(({ column, type }) => `${ident(column)} ${type}`).join(', ')}, PRIMARY KEY (${list('', keys)}),
  FOREIGN KEY (${list('', keys)}) REFERENCES ${old} (${list('', keys)}) ON DELETE CASCADE ON UPDATE CASCADE);
${rights}${triggers.map(stepTrigger).join('')}${keepHalf(out, { objects, sql: second })}
-- verdigris: place=candidate reason=rows that arrive afterwards bring theirs along
INSERT INTO ${part} (${list('', [...keys, ...names])}) SELECT ${list('', [...keys, ...names])} FROM ${old} WHERE ${row('')} IS DISTINCT FROM ${empty};
${allByHand(columns)}`;
  return {
    files: [{ name: `${shortName(`split_${table}_${fresh}`)}.sql`, text }],
    next: [
      `The new release: its software may read and write ${fresh}, and need not know ${list('', names)} of ${table}. ` +
        `A row of ${fresh} is there where one of them has a value.`,
      `A later release: verdigris expand-contract contract ${objects[0] ?? ''}`,
    ],
  };
}
