import { domains } from './catalogue.ts';
import { rows, type Client } from './client.ts';
import { ident } from './quote.ts';

type Comparison = '<' | '<=' | '=' | '>=' | '>';

/** What orders a type that has a btree operator class of its own outside of PostgreSQL's catalogue, as an extension's. */
export interface Order {
  /** Qualified and quoted; below any domain, for which somebody may have made operators. */
  readonly type: string;
  /** Qualified, as OPERATOR() takes them. */
  readonly operators: Readonly<Record<Comparison, string>>;
}

/**
 * SQL for the `Order` of the type with this oid, which is no domain; null where PostgreSQL's own operators order it. By
 * its name alone an operator may be another: under a fixed path `>` of citext is that of text.
 */
export function orderOf(type: string): string {
  return `(SELECT json_build_object('type', min(format('%I.%I', type_schema.nspname, ordered.typname)),
      'operators', json_object_agg((ARRAY['<', '<=', '=', '>=', '>'])[member.amopstrategy], format('%I.%s', operator_schema.nspname, operator.oprname)))
    FROM pg_opclass class JOIN pg_am method ON method.oid = class.opcmethod AND method.amname = 'btree'
    JOIN pg_type ordered ON ordered.oid = class.opcintype JOIN pg_namespace type_schema ON type_schema.oid = ordered.typnamespace
    JOIN pg_amop member ON member.amopfamily = class.opcfamily AND member.amoplefttype = class.opcintype
      AND member.amoprighttype = class.opcintype AND member.amoppurpose = 's'
    JOIN pg_operator operator ON operator.oid = member.amopopr JOIN pg_namespace operator_schema ON operator_schema.oid = operator.oprnamespace
    WHERE class.opcdefault AND class.opcintype = ${type} AND operator_schema.nspname <> 'pg_catalog' HAVING count(*) > 0)`;
}

/** What orders each column of a table, which is named as SQL does. */
export async function readOrders(client: Client, table: string): Promise<ReadonlyMap<string, Order | null>> {
  const found = await rows<{ name: string; order: Order | null }>(
    client,
    `${domains} SELECT a.attname AS name, ${orderOf('coalesce(d.base, a.atttypid)')} AS "order"
    FROM pg_attribute a LEFT JOIN domains d ON d.domain = a.atttypid
    WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped`,
    [table],
  );
  return new Map(found.map(({ name, order }) => [name, order]));
}

/** SQL of one column's comparison with a value, as ORDER BY and an index compare them. */
export function compared(column: string, operator: Comparison, value: string, order: Order | null): string {
  return order
    ? `(${column})::${order.type} OPERATOR(${order.operators[operator]}) (${value})::${order.type}`
    : `${column} OPERATOR(pg_catalog.${operator}) ${value}`;
}

/** A column of a key, with the SQL of the value that it is compared with; neither is NULL. */
interface KeyPart {
  readonly name: string;
  readonly value: string;
  readonly order: Order | null;
}

/** SQL that compares rows by a key, its first column first. `prefix` is the table's alias with its dot. */
export function comparedByKey(key: readonly KeyPart[], operator: '<=' | '>', prefix = ''): string {
  const column = ({ name }: KeyPart): string => `${prefix}${ident(name)}`;
  if (key.every(({ order }) => order === null))
    return `(${key.map(column).join(', ')}) OPERATOR(pg_catalog.${operator}) (${key.map(({ value }) => value).join(', ')})`;
  // No row comparison has operators of several schemas. The first condition is there for the index.
  const [strict, wide] = operator === '>' ? (['>', '>='] as const) : (['<', '<='] as const);
  return key.reduceRight((rest, part) => {
    const by = (each: Comparison): string => compared(column(part), each, part.value, part.order);
    return rest === '' ? by(operator) : `(${by(wide)} AND (${by(strict)} OR ${rest}))`;
  }, '');
}
