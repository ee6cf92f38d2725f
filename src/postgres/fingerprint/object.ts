/** Everything of a database that a migration, or an unplanned DDL, could change. */
export type SchemaKind =
  | 'schema'
  | 'extension'
  | 'language'
  | 'collation'
  | 'type'
  | 'domain'
  | 'sequence'
  | 'table'
  | 'view'
  | 'materialized view'
  | 'foreign table'
  | 'column'
  | 'constraint'
  | 'index'
  | 'trigger'
  | 'rule'
  | 'policy'
  | 'statistics'
  | 'function'
  | 'aggregate'
  | 'operator'
  | 'operator class'
  | 'operator family'
  | 'access method'
  | 'conversion'
  | 'transform'
  | 'cast'
  | 'text search'
  | 'foreign data wrapper'
  | 'foreign server'
  | 'event trigger'
  | 'publication'
  | 'tablespace'
  | 'dependency'
  | 'comment'
  | 'label'
  | 'grants'
  | 'default grants'
  | 'subscription'
  | 'identity'
  | 'member'
  | 'extension object'
  | 'partition'
  | 'columns of'
  | 'publication of'
  | 'rows of'
  | 'server setting'
  | 'settings in'
  | 'writes since'
  | 'closed database'
  | 'written in'
  | 'database'
  | 'prepared transaction'
  | 'logical slot'
  | 'large object';

/**
 * One object as text. Neither field depends on a session's settings, and of the kinds up to grants, which `readSchema`
 * gives, none holds an OID, so that the texts of two databases, or of two moments, can be compared. The kinds after
 * them are for one server: see `seal/`.
 */
export interface SchemaObject {
  readonly kind: SchemaKind;
  /**
   * Schema-qualified and quoted where needed: `app.orders.total`, `app.add(integer, integer)`, `total_check on
   * app.orders`.
   */
  readonly identity: string;
  /** Every property that counts, on one or more lines. */
  readonly definition: string;
}
