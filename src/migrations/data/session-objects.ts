import type { Node } from 'libpg-query';
import { as, type Of } from '../lint/ast.ts';
import { readData, type DataStatement, type NamedRelation } from './read.ts';

/** What a file keeps in its session, which is gone at the switchover: temporary tables and prepared statements. */
export class SessionObjects {
  readonly #tables = new Set<string>();
  readonly #prepared = new Map<string, Node>();

  learn(node: Node): void {
    const made = as(node, 'CreateStmt')?.relation ?? as(node, 'CreateTableAsStmt')?.into?.rel;
    const table = made ?? as(node, 'SelectStmt')?.intoClause?.rel;
    if (table?.relpersistence === 't' || table?.schemaname === 'pg_temp') this.#tables.add(table.relname ?? '');
    const { name, query } = as(node, 'PrepareStmt') ?? {};
    if (name !== undefined && query) this.#prepared.set(name, query);
  }

  /** What a statement writes besides temporary tables, and what of the session it needs for that. */
  placed(node: Node, data: DataStatement | undefined): DataStatement | undefined {
    const { name = '' } = as(node, 'ExecuteStmt') ?? ({} as Partial<Of<'ExecuteStmt'>>);
    const query = this.#prepared.get(name);
    if (query) {
      const inner = readData(query);
      return inner && { ...inner, fill: undefined, session: `the prepared statement ${name}` };
    }
    if (!data) return undefined;
    const temporary = ({ schema, name: table }: NamedRelation): boolean =>
      schema === 'pg_temp' || (schema === undefined && this.#tables.has(table));
    const targets = data.targets.filter((target) => !temporary(target));
    if (targets.length === 0 && data.targets.length > 0 && !data.opaque) return undefined;
    const needed = [...data.reads, ...data.targets].find(temporary);
    return needed ? { ...data, targets, session: `the temporary table ${needed.name}` } : data;
  }
}
