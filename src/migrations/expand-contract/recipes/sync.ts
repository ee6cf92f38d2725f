import { createHash } from 'node:crypto';
import { ident, literal } from '../../../postgres/quote.ts';
import type { RecipeColumn } from './column.ts';

/** How one column stands in for another. */
export interface ColumnPair {
  readonly old: RecipeColumn;
  readonly column: string;
  readonly type: string;
  /** SQL over the old column that gives the new one; the column itself where it is a rename. */
  readonly forth: string;
  /** SQL over the new column that gives the old one. */
  readonly back: string;
  /** Whether both types have an equality; json, xml, point and the like have none and are compared by their text. */
  readonly comparable: boolean;
  /** Where the expressions' functions and the types' operators are found, PostgreSQL's own apart. */
  readonly schemas: readonly string[];
  /** Whether the expression can fail for a value of its column. */
  readonly forthMayFail: boolean;
  readonly backMayFail: boolean;
}

/** PostgreSQL cuts names at 63 bytes; two that were cut must not be one. */
export function shortName(name: string): string {
  if (Buffer.byteLength(name) <= 63) return name;
  return `${Buffer.from(name).subarray(0, 54).toString('utf8').replaceAll('\uFFFD', '')}_${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
}

/** BEFORE triggers fire in the order of their names: the last one sees what the others made of the row. */
export function triggerName({ column }: Pick<RecipeColumn, 'column'>, fresh: string): string {
  return shortName(`zz_sync_${column}_${fresh}`);
}

export function functionName({ table, column }: Pick<RecipeColumn, 'table' | 'column'>, fresh: string): string {
  return shortName(`sync_${table}_${column}_${fresh}`);
}

/**
 * The function and its trigger. It sets two columns of its own row and writes nothing else, so it may fire for
 * replicated rows as well (ENABLE ALWAYS): on the candidate that is how the new column is filled from rows of software
 * N, which know only the old one; on the colour that is retained after the contraction, how the old one is filled from
 * rows that know only the new. Where both agree it leaves both as they are, so a row that was brought with both arrives
 * as it was sent, and nothing can go round in a loop.
 */
export function syncSql(pair: ColumnPair): string {
  const { old, column } = pair;
  const [table, name, trigger] = [
    ident(old.schema, old.table),
    ident(old.schema, functionName(old, column)),
    ident(triggerName(old, column)),
  ];
  const [a, b] = [`NEW.${ident(old.column)}`, `NEW.${ident(column)}`];
  const path = ['pg_catalog', ...pair.schemas.map((schema) => ident(schema))].join(', ');
  const differ = (left: string, right: string): string =>
    pair.comparable ? `${left} IS DISTINCT FROM ${right}` : `${left}::text IS DISTINCT FROM ${right}::text`;
  return `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql SET search_path = ${path} AS $sync$
#variable_conflict use_column
DECLARE
  carried ${pair.type};
BEGIN
${forth(pair, a)}
  IF TG_OP = 'INSERT' THEN
    IF ${b} IS NULL THEN
      ${b} := carried;
    ELSIF ${differ(b, 'carried')} THEN
${indent(back(pair, a, b), 6)}
    END IF;
  ELSIF ${differ(b, `OLD.${ident(column)}`)} THEN
    IF ${differ(b, 'carried')} THEN
${indent(back(pair, a, b), 6)}
    END IF;
  ELSIF ${differ(a, `OLD.${ident(old.column)}`)} OR ${b} IS NULL THEN
    ${b} := carried;
  END IF;
${required(pair, a)}  RETURN NEW;
END $sync$;

CREATE TRIGGER ${trigger} BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION ${name}();
-- verdigris: allow always-trigger because it sets columns of its own row alone, and leaves them where they agree
ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${trigger};
`;
}

function forth({ old, forth: expression, forthMayFail }: ColumnPair, a: string): string {
  const column = ident(old.column);
  if (expression === column) return `  carried := ${a};`;
  const convert = `SELECT ${expression} INTO carried FROM (SELECT ${a} AS ${column}) AS given;`;
  if (!forthMayFail) return `  ${convert}`;
  return `  BEGIN
    ${convert}
  EXCEPTION WHEN data_exception THEN
    -- Software of the old shape may write it: the new column stays empty, and the backfill names the row.
    carried := NULL;
  END;`;
}

function back({ column, back: expression, backMayFail }: ColumnPair, a: string, b: string): string {
  if (expression === ident(column)) return `${a} := ${b};`;
  const convert = `SELECT ${expression} INTO ${a} FROM (SELECT ${b} AS ${ident(column)}) AS given;`;
  if (!backMayFail) return convert;
  return `BEGIN
  ${convert}
EXCEPTION WHEN data_exception THEN
  -- A client is told that software of the old shape could not read it. Replication does not stop for it: what
  -- comes by it is of a release that has no old column.
  IF current_setting('session_replication_role') <> 'replica' THEN RAISE; END IF;
  ${a} := NULL;
END;`;
}

/**
 * The old column must lose its NOT NULL: rows of the release that has none come without it. Clients are held to it all
 * the same.
 */
function required({ old }: ColumnPair, a: string): string {
  if (!old.notNull) return '';
  return `  IF ${a} IS NULL AND current_setting('session_replication_role') <> 'replica' THEN
    RAISE not_null_violation USING MESSAGE = ${literal(`null value in column "${old.column}" of relation "${old.table}"`)},
      SCHEMA = ${literal(old.schema)}, TABLE = ${literal(old.table)}, COLUMN = ${literal(old.column)};
  END IF;
`;
}

function indent(text: string, by: number): string {
  return text
    .split('\n')
    .map((line) => `${' '.repeat(by)}${line}`)
    .join('\n');
}
