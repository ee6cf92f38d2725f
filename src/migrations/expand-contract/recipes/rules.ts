import { ident, literal } from '../../../postgres/quote.ts';
import type { Assignment } from '../../backfill/assignments.ts';
import type { Recipe } from './expand.ts';
import { dropStepTrigger, stepTrigger } from './kept.ts';
import { shortName } from './sync.ts';
import { scanned, tighten } from './tighten.ts';

interface Place {
  readonly schema: string;
  readonly table: string;
}

export function notNull({ schema, table }: Place, column: string, fill: string): Recipe {
  return tighten(
    [
      {
        schema,
        table,
        label: column,
        objects: [`${schema}.${table}.${column}`],
        broken: `given.${ident(column)} IS NULL`,
        columns: [column],
        repair: [{ column, expression: fill }],
      },
    ],
    `${scanned('set-not-null-scan, new-not-null')}ALTER TABLE ${ident(schema, table)} ALTER COLUMN ${ident(column)} SET NOT NULL;\n`,
  );
}

export function newCheck(
  { schema, table }: Place,
  name: string,
  holds: string,
  repair: readonly Assignment[],
  columns: readonly string[],
): Recipe {
  return tighten(
    [
      {
        schema,
        table,
        label: name,
        objects: [`${schema}.${table}.${name}`],
        broken: `(${holds}) IS FALSE`,
        columns,
        repair,
      },
    ],
    `${scanned('add-check-scan, stricter-constraint')}ALTER TABLE ${ident(schema, table)} ADD CONSTRAINT ${ident(name)} CHECK (${holds});\n`,
  );
}

export function unique(
  { schema, table }: Place,
  columns: readonly string[],
  key: readonly string[],
  repair: readonly Assignment[],
): Recipe {
  const on = ident(schema, table);
  const name = shortName(`${table}_${columns.join('_')}_key`);
  const given = columns.map((each) => ident(each)).join(', ');
  const row = (alias: string, names: readonly string[]): string =>
    `(${names.map((each) => `${alias}.${ident(each)}`).join(', ')})`;
  const twin = (which: string): string =>
    `EXISTS (SELECT FROM ${on} AS other WHERE ${row('other', columns)} = ${row('given', columns)} AND ${row('other', key)} ${which} ${row('given', key)})`;
  return tighten(
    [
      {
        schema,
        table,
        label: name,
        objects: [`${schema}.${table}.${name}`],
        broken: twin('IS DISTINCT FROM'),
        brokenNow: twin('<'),
        lock: `PERFORM pg_advisory_xact_lock(hashtextextended(${literal(`${schema}.${table}`)} || ${row('NEW', columns)}::text, 0));`,
        columns,
        repair,
      },
    ],
    `${scanned('add-unique-constraint, new-unique')}ALTER TABLE ${on} ADD CONSTRAINT ${ident(name)} UNIQUE (${given});\n`,
  );
}

/** A row of `parent` that goes, or gets another key, leaves no reference to it behind. */
export function foreignKey(
  { schema, table }: Place,
  column: string,
  parent: Place & { readonly key: string },
  repair: readonly Assignment[],
): Recipe {
  const [on, to, a, k] = [ident(schema, table), ident(parent.schema, parent.table), ident(column), ident(parent.key)];
  const name = shortName(`${table}_${column}_fkey`);
  const gone = {
    schema: parent.schema,
    table: parent.table,
    name: shortName(`keep_${parent.table}_${table}_${column}`),
  };
  const set = repair.map((each) => `${ident(each.column)} = ${each.expression}`).join(', ');
  return tighten(
    [
      {
        schema,
        table,
        label: name,
        objects: [`${schema}.${table}.${name}`],
        broken: `given.${a} IS NOT NULL AND NOT EXISTS (SELECT FROM ${to} AS parent WHERE parent.${k} = given.${a})`,
        lock: `PERFORM FROM ${to} AS parent WHERE parent.${k} = NEW.${a} FOR KEY SHARE;`,
        columns: [column],
        repair,
        more: {
          first: stepTrigger({
            ...gone,
            when: 'AFTER UPDATE OR DELETE',
            always: false,
            definer: true,
            body: `  IF TG_OP = 'UPDATE' THEN
    IF NEW.${k} IS NOT DISTINCT FROM OLD.${k} THEN RETURN NULL; END IF;
  END IF;
  UPDATE ${on} AS given SET ${set} WHERE given.${a} = OLD.${k};
  RETURN NULL;`,
          }),
          second: dropStepTrigger(gone),
        },
      },
    ],
    `${scanned('add-foreign-key-scan, stricter-constraint')}ALTER TABLE ${on} ADD CONSTRAINT ${ident(name)} FOREIGN KEY (${a}) REFERENCES ${to} (${k});\n`,
  );
}
